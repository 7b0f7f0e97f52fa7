import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Instance, NEW, OLD, okay, processesWith, startInstance } from '../support/helper-instance.ts';
import { programWithFaults, programWithFirst } from '../support/helper-program.ts';
import type { Helper } from '../support/helper-session.ts';
import { descendants, signal, startTime } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

const effects = process.env['NHU_FAULTS'] === 'all' ? 'all' : 'journal';

describe('a guard', { concurrency: 4 }, () => {
  test('is no child of the session, has an empty environment and its own session', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    const [guard = 0] = await guardsOf(instance);
    assert.ok(!descendants(helper.pid).includes(guard));
    const [stat = ''] = /\) .*$/s.exec(readFileSync(`/proc/${guard}/stat`, 'utf8')) ?? [];
    assert.equal(stat.split(' ')[4], String(guard), 'leads a session');
    assert.doesNotMatch(readFileSync(`/proc/${guard}/environ`, 'utf8'), /HOME=/);
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('that is killed is started anew when the run looks, and then rolls back in its turn', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    await killGuard(instance);
    okay(await helper.ask('look'));
    assert.ok(instance.journal().includes('session guard-lost'));
    okay(await helper.ask('extend', { confirm: 10 }));
    await helper[Symbol.asyncDispose]();
    await instance.restWithin(OLD, 10_000);
  });

  test('that is killed does not keep a run from its commit', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    await killGuard(instance);
    okay(await helper.ask('commit'));
    await instance.assertRest(NEW);
  });

  for (const verbs of [[], ['begin'], ['begin', 'retire']]) {
    test(`and session both killed after ${verbs.join(', ') || 'staging'}: a later helper adopts and rolls back`, async () => {
      await using instance = await startInstance();
      const helper = await instance.helper();
      await instance.stage(helper);
      for (const verb of verbs) okay(await helper.ask(verb));
      await killGuard(instance);
      await helper[Symbol.asyncDispose]();
      await recover(instance, 'rollback');
      await instance.assertRest(OLD);
    });
  }

  test('and session both killed: a later helper adopts and goes on to the commit', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    okay(await helper.ask('begin'));
    await killGuard(instance);
    await helper[Symbol.asyncDispose]();
    const later = await adopter(instance);
    for (const verb of ['begin', 'retire', 'look', 'commit']) okay(await later.ask(verb));
    await instance.assertRest(NEW);
  });

  test('acts at once when the run is cancelled from beside', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    const { nonce } = await instance.stage(helper);
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    const beside = await instance.helper({ entry: 'once' });
    const start = performance.now();
    const { fields } = okay(await beside.ask('cancel', { dir: instance.directory, nonce }));
    assert.match(String(fields['closed']), /outcome=rolled-back/);
    assert.ok(performance.now() - start < 5000);
    await instance.restWithin(OLD, 3000);
  });

  test('leaves the field to a run that gives signs of life from beside', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    const { nonce } = await instance.stage(helper, { fields: { confirm: 30 } });
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    const until = performance.now() + 5000;
    while (performance.now() < until) {
      const beside = await instance.helper({ entry: 'once' });
      okay(await beside.ask('extend', { dir: instance.directory, nonce }));
      await beside.ended;
    }
    okay(await helper.ask('commit'));
    await instance.assertRest(NEW);
  });
});

describe('a guard that ends by what nobody foresaw', { concurrency: 4 }, () => {
  /** The guard's shell ends by itself in `where`, the first time. */
  const breaksIn = (where: string, mark: string) =>
    programWithFirst(
      where,
      `if [ "\${ACTOR-}" = guard ] && mkdir '${mark}' 2>/dev/null; then : "\${NOBODY_SET_THIS?}"; fi`,
    );

  for (const [phase, verbs] of [
    ['staged', []],
    ['begun', ['begin']],
    ['parked', ['begin', 'retire']],
  ] as const) {
    test(`goes back to the old version by itself, where an upgrade is ${phase}`, async () => {
      await using instance = await startInstance();
      const mark = instance.mark('broke');
      const helper = await instance.helper({ program: breaksIn('mutex_end', mark) });
      await instance.stage(helper);
      const [guard = 0] = await guardsOf(instance);
      for (const verb of verbs) okay(await helper.ask(verb));
      await waitFor('the end of the guard', () => existsSync(mark));
      await helper[Symbol.asyncDispose]();
      await instance.restWithin(OLD, 10_000);
      const journal = readFileSync(join(instance.directory, 'journal.jsonl'), 'utf8');
      assert.match(journal, new RegExp(`"guard ${guard}","event":"closed"`), 'the same process began anew');
      const last = readFileSync(join(instance.directory, 'last'), 'utf8');
      assert.match(last, /^why=guard-broke$/m);
      assert.match(last, phase === 'staged' ? /^outcome=untouched$/m : /^outcome=rolled-back$/m);
    });
  }

  test('goes back when processes can be started again, where it could start none', async () => {
    await using instance = await startInstance({ user: 'nobody' });
    const helper = await instance.helper({ user: 'nobody' });
    await instance.stage(helper);
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    const directory = join(instance.nginx.home, '.local/state/nginx-hot-upgrade', basename(instance.directory));
    const [guard = 0] = await guardsOf({ directory });
    const start = startTime(guard);
    const limited = async (nproc: string) =>
      assert.equal((await instance.nginx.run(`prlimit --pid=${guard} --nproc=${nproc}`)).code, 0);
    await limited('1:');
    await waitFor('a guard that found out', () => existsSync(join(directory, 'broke')));
    await helper[Symbol.asyncDispose]();
    assert.equal(startTime(guard), start);
    assert.equal(await instance.answers(), NEW);
    await limited('1000:');
    await instance.restWithin(OLD, 15_000);
    assert.match(readFileSync(join(directory, 'last'), 'utf8'), /^why=guard-broke$/m);
  });
});

describe('a guard whose time is over at the moment of the commit', { concurrency: 3 }, () => {
  for (const early of [600, 450, 300, 150, 0]) {
    test(`and the run agree on one outcome, commit asked ${early} ms before`, async (t) => {
      await using instance = await startInstance();
      const helper = await instance.helper();
      await instance.stage(helper);
      okay(await helper.ask('begin'));
      okay(await helper.ask('retire'));
      okay(await helper.ask('extend', { confirm: 10 }));
      await delay(1000 - early);
      const said = await helper.ask('commit').then(
        (answer) => (answer.ok ? 'committed' : answer.reason),
        () => 'ended',
      );
      const books = await waitFor('closed books', () => closedBooks(instance));
      t.diagnostic(`the run: ${said}; the books: ${books}`);
      if (said === 'committed') assert.equal(books, said);
      await instance.restWithin(books === 'committed' ? NEW : OLD, 5000);
    });
  }
});

describe('a guard that rolls back and is killed at one of its effects', { concurrency: 4 }, async () => {
  const trace = await guardEffects();
  test('has effects', () => assert.ok(trace.length > 2, trace.join()));
  for (const [index, effect] of trace.entries()) {
    test(`leaves effect ${index + 1}, ${effect}, to the next run`, async () => {
      await using instance = await startInstance();
      await abandon(instance, programWithFaults({ actor: 'guard', effects, killAt: index + 1 }));
      const gone = () => processesWith(`${instance.directory}/helper`).length === 0;
      await waitFor('the end of the guard', gone, 15_000);
      await recover(instance, 'rollback');
      await instance.assertRest(OLD);
    });
  }
});

function closedBooks({ directory }: Instance): string | undefined {
  if (existsSync(join(directory, 'upgrade'))) return undefined;
  return /^outcome=(.*)$/m.exec(readFileSync(join(directory, 'last'), 'utf8'))?.[1];
}

async function guardEffects(): Promise<string[]> {
  await using instance = await startInstance();
  const trace = instance.mark('trace');
  await abandon(instance, programWithFaults({ actor: 'guard', effects, trace }));
  await instance.restWithin(OLD, 10_000);
  const lines = readFileSync(trace, 'utf8').trim().split('\n');
  return lines.map((line) => line.replaceAll(instance.nginx.dir, '').slice(0, 120));
}

/** A run that is killed when the new version serves; its guard will expire. */
async function abandon(instance: Instance, program: string): Promise<void> {
  const helper = await instance.helper({ program });
  await instance.stage(helper);
  // A guard that dies while it starts makes the run stop here.
  if ((await helper.ask('begin')).ok) okay(await helper.ask('retire'));
  await helper[Symbol.asyncDispose]();
  instance.expire();
}

async function recover(instance: Instance, verb: string): Promise<void> {
  const helper = await instance.helper();
  const facts = okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  if (facts.fields['upgrade'] === null) {
    await instance.stage(helper);
    await instance.unstage(helper);
    return;
  }
  okay(await helper.ask('adopt', { run: 'later' }));
  okay(await helper.ask(verb));
}

async function adopter(instance: Instance): Promise<Helper> {
  const helper = await instance.helper();
  okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  okay(await helper.ask('adopt', { run: 'later' }));
  return helper;
}

function guardsOf({ directory }: { directory: string }): Promise<number[]> {
  return waitFor('a guard', () => {
    const found = processesWith(`${directory}/helper`);
    return found.length > 0 && found;
  });
}

async function killGuard(instance: Instance): Promise<void> {
  const guards = await guardsOf(instance);
  for (const guard of guards) signal(guard, 'SIGKILL');
  await waitFor('the end of the guard', () => guards.every((guard) => startTime(guard) === undefined));
}
