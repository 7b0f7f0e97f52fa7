import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { NEW, OLD, okay, refused, startInstance, type Instance } from '../support/helper-instance.ts';
import { guardUnder, pausedBeforeSignal, programThat } from '../support/helper-program.ts';
import { type Helper, noShell, type Shell, SHELLS } from '../support/helper-session.ts';
import { command } from '../support/command.ts';
import { signal } from '../support/processes.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { waitFor } from '../support/wait.ts';

const STEPS = {
  USR2: { before: [], verb: 'begin' },
  WINCH: { before: ['begin'], verb: 'retire' },
} as const;

for (const shell of SHELLS) {
  describe(`an actor under ${shell}, stopped between its last check and its signal`, { skip: noShell(shell) }, () => {
    for (const [name, step] of Object.entries(STEPS)) {
      test(`is ended by the guard before ${name}, which then rolls back`, async () => {
        await using instance = await startInstance();
        const helper = await stoppedBefore(instance, { shell, name: name as keyof typeof STEPS, confirm: 10 });
        await helper.gone;
        assert.equal(await helper.ended, 'SIGKILL');
        await instance.restWithin(OLD, 6000);
        assert.deepEqual(lastWord(instance), ['rolled-back', 'guard-expired']);
        void step;
      });
    }

    test('is ended before QUIT by a guard that finishes the commit', async () => {
      await using instance = await startInstance();
      const helper = await stoppedBeforeQuit(instance, { shell, confirm: 10 });
      assert.equal(await helper.ended, 'SIGKILL');
      await instance.restWithin(NEW, 6000);
      assert.deepEqual(lastWord(instance), ['committed', 'run']);
    });
  });
}

describe('a second helper that takes over', () => {
  for (const name of ['USR2', 'WINCH'] as const) {
    test(`ends a helper that is stopped before ${name}, and rolls back`, async () => {
      await using instance = await startInstance();
      const first = await stoppedBefore(instance, { shell: 'dash', name, confirm: 1200 });
      const second = await instance.helper();
      okay(await second.ask('facts', { pid_file: instance.nginx.pidFile }));
      okay(await second.ask('adopt', { run: 'second' }));
      assert.equal(await first.ended, 'SIGKILL');
      await first.gone;
      okay(await second.ask('rollback'));
      await instance.assertRest(OLD);
    });
  }

  test('makes the first one refuse to act where it could not end it', async () => {
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
  test('is refused to the second who asks for the other', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper, { fields: { drain: 20 } });
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    const other = await instance.helper({ entry: 'once' });
    void other;
    okay(await helper.ask('commit'));
    refused(await helper.ask('rollback'), 'changed-by-others');
    await instance.assertRest(NEW);
  });

  for (const shell of SHELLS) {
    test(`is exactly one, whoever asks at the same moment, under ${shell}`, { skip: noShell(shell) }, async () => {
      const dir = ownTempDir();
      const rounds = 50;
      const asker = (word: string) => {
        const body = `D='${dir}' S_nonce=n ACTOR=test MARKER=m ID=1 VERB=v n=0
boot_id
while [ "$n" -lt ${rounds} ]; do
  n=$((n + 1)) S_nonce=n$n
  if [ ${word} = commit ]; then until [ -e "$D/go$n" ]; do :; done; else : >"$D/go$n"; fi
  decide ${word} race && echo "$n ${word}"
  [ ${word} = rollback ] || { : >"$D/seen$n"; continue; }
  until [ -e "$D/seen$n" ]; do :; done
  mv "$D/decision" "$D/decided$n"
done`;
        return command([...shell.split(' '), '-c', programThat(body)]);
      };
      const [commits, rollbacks] = await Promise.all([asker('commit'), asker('rollback')]);
      const winners = [commits, rollbacks].flatMap(({ stdout }) => stdout.trim().split('\n').filter(Boolean));
      assert.deepEqual(
        winners.map((line) => Number(line.split(' ', 1)[0])).sort((a, b) => a - b),
        Array.from({ length: rounds }, (_, index) => index + 1),
        `${commits.stderr}${rollbacks.stderr}`,
      );
      for (const line of winners) {
        const [round, word] = line.split(' ');
        assert.match(readFileSync(join(dir, `decided${round}`), 'utf8'), new RegExp(`^${word} n${round} race$`, 'm'));
      }
    });
  }
});

type Stopped = Helper & { gone: Promise<unknown> };

async function stoppedBefore(
  instance: Instance,
  { shell, name, confirm }: { shell: Shell; name: keyof typeof STEPS; confirm: number },
): Promise<Stopped> {
  const program = guardUnder(shell, pausedBeforeSignal(name, instance.mark('stopped')));
  const helper = await instance.helper({ shell, program });
  await instance.stage(helper, { fields: { confirm }, helper: { shell } });
  for (const verb of STEPS[name].before) okay(await helper.ask(verb));
  return stopAt(helper, STEPS[name].verb);
}

async function stoppedBeforeQuit(
  instance: Instance,
  { shell, confirm }: { shell: Shell; confirm: number },
): Promise<Stopped> {
  const program = guardUnder(shell, pausedBeforeSignal('QUIT', instance.mark('stopped')));
  const helper = await instance.helper({ shell, program });
  await instance.stage(helper, { fields: { confirm }, helper: { shell } });
  okay(await helper.ask('begin'));
  okay(await helper.ask('retire'));
  return stopAt(helper, 'commit');
}

async function stopAt(helper: Helper, verb: string): Promise<Stopped> {
  const gone = assert.rejects(helper.ask(verb), /the helper ended: SIGKILL/);
  await waitFor(`${verb} to stop`, () => isStopped(helper.pid));
  return { ...helper, gone };
}

function isStopped(pid: number): boolean {
  try {
    return / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''));
  } catch {
    return true;
  }
}

function lastWord(instance: Instance): string[] {
  const last = readFileSync(join(instance.directory, 'last'), 'utf8');
  return ['outcome', 'why'].map((key) => new RegExp(`^${key}=(.*)$`, 'm').exec(last)?.[1] ?? '');
}
