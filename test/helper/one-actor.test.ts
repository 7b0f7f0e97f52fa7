import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Instance, NEW, OLD, okay, startInstance } from '../support/helper-instance.ts';
import { guardUnder, pausedBeforeSignal, programThat } from '../support/helper-program.ts';
import { noShell, type Shell, SHELLS } from '../support/helper-session.ts';
import { mustRun } from '../support/command.ts';
import { startTime } from '../support/processes.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { waitFor } from '../support/wait.ts';

for (const shell of SHELLS) {
  describe(`an actor under ${shell}, stopped between its last check and its signal`, { skip: noShell(shell) }, () => {
    for (const name of ['USR2', 'WINCH'] as const) {
      test(`is ended by the guard before ${name}, which then rolls back`, async () => {
        await using instance = await startInstance();
        const stopped = await stoppedBefore(name, { instance, shell, expires: true });
        await instance.restWithin(OLD, 10_000);
        await stopped.isGone();
        assert.deepEqual(lastWord(instance), ['rolled-back', 'guard-expired']);
      });
    }

    test('is ended by the guard before QUIT, which then finishes the commit', async () => {
      await using instance = await startInstance();
      const stopped = await stoppedBefore('QUIT', { instance, shell, expires: true });
      await instance.restWithin(NEW, 10_000);
      await stopped.isGone();
      assert.deepEqual(lastWord(instance), ['committed', 'run']);
    });
  });
}

describe('an actor that rolls back, stopped between its last check and its signal', { concurrency: 2 }, () => {
  for (const [name, then] of [
    ['HUP', 'to the old master'],
    ['QUIT', 'to the new one'],
  ] as const) {
    test(`is ended by the guard before ${name} ${then}, and no worker is started twice`, async () => {
      await using instance = await startInstance();
      const stopped = await stoppedBefore(name, { instance, shell: 'dash', expires: true, last: 'rollback' });
      await instance.restWithin(OLD, 10_000);
      await stopped.isGone();
      assert.deepEqual(lastWord(instance), ['rolled-back', 'run']);
    });
  }
});

describe('a second helper', () => {
  for (const name of ['USR2', 'WINCH'] as const) {
    test(`ends the first one that is stopped before ${name}, rolls back, and the guard lived all the time`, async () => {
      await using instance = await startInstance();
      const stopped = await stoppedBefore(name, { instance, shell: 'dash' });
      const guard = guardPid(instance);
      const second = await instance.helper();
      okay(await second.ask('facts', { pid_file: instance.nginx.pidFile }));
      okay(await second.ask('adopt', { run: 'second' }));
      await stopped.isGone();
      assert.equal(guardPid(instance), guard);
      assert.ok(startTime(guard), `expected the guard ${guard} to live on`);
      okay(await second.ask('rollback'));
      await instance.assertRest(OLD);
    });
  }

  test('takes the upgrade over from one that lives, and commits', async () => {
    await using instance = await startInstance();
    const first = await instance.helper();
    await instance.stage(first);
    okay(await first.ask('begin'));
    const second = await instance.helper();
    okay(await second.ask('facts', { pid_file: instance.nginx.pidFile }));
    okay(await second.ask('adopt', { run: 'second' }));
    assert.equal(await first.ended, 'SIGKILL');
    okay(await second.ask('retire'));
    okay(await second.ask('commit'));
    await instance.assertRest(NEW);
  });
});

describe('the one decision about an upgrade', () => {
  for (const shell of SHELLS) {
    test(`is exactly one, whoever asks at the same moment, under ${shell}`, { skip: noShell(shell) }, async () => {
      const dir = ownTempDir();
      const [commits, rollbacks] = await Promise.all([
        runIn(dir, { shell, name: 'commit', body: deciding('commit') }),
        runIn(dir, { shell, name: 'rollback', body: deciding('rollback') }),
      ]);
      const winners = `${commits}${rollbacks}`.trim().split('\n');
      const rounds = winners.map((line) => Number(line.split(' ', 1)[0])).sort((a, b) => a - b);
      assert.deepEqual(rounds, range(ROUNDS));
      for (const line of winners) {
        const [round, word] = line.split(' ');
        assert.equal(readFileSync(join(dir, `decided${round}`), 'utf8'), `${word} n${round} race\n`);
      }
    });
  }
});

const ROUNDS = 50;

/** Says the rounds it won. One side opens each round, the other is waiting for that moment. */
function deciding(word: 'commit' | 'rollback'): string {
  const meet = word === 'commit' ? 'until [ -e "$D/go$n" ]; do :; done' : ': >"$D/go$n"';
  const part =
    word === 'commit' ? ': >"$D/seen$n"' : 'until [ -e "$D/seen$n" ]; do :; done; mv "$D/decision" "$D/decided$n"';
  return `load_state
ACTOR=test n=0
while [ "$n" -lt ${ROUNDS} ]; do
  n=$((n + 1)) S_nonce=n$n
  ${meet}
  decide ${word} race && echo "$n ${word}"
  ${part}
done`;
}

/** What the helper's functions print when they run `body` with `dir` as the instance's directory. */
async function runIn(
  dir: string,
  { shell, name, body }: { shell: Shell; name: string; body: string },
): Promise<string> {
  const file = join(dir, `${name}.sh`);
  writeFileSync(file, programThat(`D='${dir}'\n${body}`));
  return mustRun([...shell.split(' '), file], { timeout: 30_000 });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

const STEPS = {
  USR2: [],
  WINCH: ['begin'],
  QUIT: ['begin', 'retire'],
  HUP: ['begin', 'retire'],
};

const LAST = { USR2: 'begin', WINCH: 'retire', QUIT: 'commit', HUP: 'rollback' };

interface StopOptions {
  instance: Instance;
  shell: Shell;
  /** Whether the guard's time is over then. */
  expires?: boolean;
  /** The verb that stops, where it is not the one that usually sends this signal. */
  last?: string;
}

/** Runs an upgrade up to the moment before the signal `name`, where the helper stops. */
async function stoppedBefore(name: keyof typeof STEPS, { instance, shell, expires, last = LAST[name] }: StopOptions) {
  const program = guardUnder(shell, pausedBeforeSignal(name, instance.mark('stopped')));
  const helper = await instance.helper({ shell, program });
  await instance.stage(helper);
  for (const verb of STEPS[name]) okay(await helper.ask(verb));
  helper.ask(last).catch(() => {}); // It is ended before it answers.
  await waitFor(`${last} to stop`, () => isStopped(helper.pid));
  if (expires) instance.expire();
  return { isGone: () => waitFor('the end of the stopped helper', () => startTime(helper.pid) === undefined) };
}

function guardPid(instance: Instance): number {
  return Number(/^pid=(\d+)$/m.exec(readFileSync(join(instance.directory, 'guard'), 'utf8'))?.[1]);
}

function isStopped(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').startsWith(' T ');
  } catch {
    return true;
  }
}

function lastWord(instance: Instance): string[] {
  const last = readFileSync(join(instance.directory, 'last'), 'utf8');
  return ['outcome', 'why'].map((key) => new RegExp(`^${key}=(.*)$`, 'm').exec(last)?.[1] ?? '');
}
