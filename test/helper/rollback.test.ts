import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Answer } from '../../src/target/answer.ts';
import { type Instance, NEW, OLD, okay, processesWith, refused, startInstance } from '../support/helper-instance.ts';
import type { Helper } from '../support/helper-session.ts';
import { descendants, signal, startTime } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

describe('a rollback', { concurrency: 4 }, () => {
  test('asked for twice does nothing the second time', async () => {
    await using instance = await startInstance();
    const { helper } = await retired(instance);
    okay(await helper.ask('rollback'));
    const { length } = instance.journal();
    refused(await helper.ask('rollback'), 'changed-by-others');
    assert.equal(instance.journal().length, length);
    await instance.assertRest(OLD);
  });

  test('tells whoever comes to adopt it how it was closed', async () => {
    await using instance = await startInstance();
    const { helper } = await retired(instance);
    okay(await helper.ask('rollback', { why: 'asked' }));
    const [nonce = ''] = /(?<=nonce=)\S+/.exec(readFileSync(`${instance.directory}/last`, 'utf8')) ?? [];
    const told = refused(await helper.ask('adopt', { nonce, decide: 'rollback' }), 'changed-by-others');
    assert.deepEqual([told.fields['outcome'], told.fields['why']], ['rolled-back', 'asked']);
    const other = refused(await helper.ask('adopt', { nonce: 'another' }), 'changed-by-others');
    assert.equal(other.fields['outcome'], undefined);
  });

  test('before anything was begun removes what was staged', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    assert.equal(okay(await helper.ask('rollback')).fields['outcome'], 'untouched');
    await instance.assertRest(OLD);
  });

  for (const [moment, upTo] of [
    ['before', begun],
    ['after', retired],
  ] as const) {
    test(`sweeps the orphans of a new master that was killed ${moment} WINCH`, async () => {
      await using instance = await startInstance();
      const { helper, newMaster } = await upTo(instance);
      signal(newMaster, 'SIGKILL');
      await waitFor('the end of the new master', () => startTime(newMaster) === undefined);
      refused(await helper.ask('look'), 'new-master-died');
      assert.equal(okay(await helper.ask('rollback')).fields['outcome'], 'rolled-back');
      await instance.assertRest(OLD);
    });
  }

  test('ends a new master that hangs before it came up', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper, { variant: 'master-hangs', fields: { ready: 10 } });
    refused(await helper.ask('begin'), 'not-ready');
    okay(await helper.ask('rollback'));
    await instance.assertRest(OLD);
  });

  test('follows a new binary that exits at once', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper, { variant: 'exits-at-start' });
    refused(await helper.ask('begin'), 'new-master-died');
    okay(await helper.ask('rollback'));
    await instance.assertRest(OLD);
  });

  test('follows workers that crash again and again', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper, { variant: 'worker-segv' });
    refused(await helper.ask('begin'), 'workers-crashing');
    okay(await helper.ask('rollback'));
    await instance.assertRest(OLD);
  });

  test('heals a lone WINCH: the new master was dead already when the old one was told to stop', async () => {
    await using instance = await startInstance();
    const { helper, newMaster, oldMaster } = await begun(instance);
    signal(newMaster, 'SIGKILL');
    await waitFor('the end of the new master', () => startTime(newMaster) === undefined);
    for (const orphan of orphansOf(instance, oldMaster)) signal(orphan, 'SIGKILL');
    signal(oldMaster, 'SIGWINCH');
    await waitFor('nobody to answer', async () => (await instance.answers()) === null);
    assert.equal(okay(await helper.ask('rollback')).fields['outcome'], 'rolled-back');
    await instance.assertRest(OLD);
  });

  for (const suffixes of [[''], ['.oldbin'], ['', '.oldbin']]) {
    test(`repairs what somebody removed: ${suffixes.map((suffix) => `nginx.pid${suffix}`).join(' and ')}`, async () => {
      await using instance = await startInstance();
      const { helper } = await retired(instance);
      for (const suffix of suffixes) rmSync(`${instance.nginx.pidFile}${suffix}`);
      okay(await helper.ask('rollback'));
      await instance.assertRest(OLD);
    });
  }

  test('works with a slow download on the new master: the old version accepts all the while', async () => {
    const body = '0123456789'.repeat(20);
    await using instance = await startInstance({
      server: `location /slow { limit_rate 100; return 200 "${body}"; }`,
    });
    const { helper } = await retired(instance);
    const slow = await fetch(`http://127.0.0.1:${instance.nginx.port}/slow`);
    const ending = helper.ask('rollback');
    await waitFor('the old version to answer', async () => (await instance.answers()) === OLD);
    assert.equal(await slow.text(), body);
    okay(await ending);
    await instance.assertRest(OLD);
  });
});

describe('a held upgrade', { concurrency: 4 }, () => {
  test('stays held however often somebody reloads the old master: the guard tells it to stop again', async (t) => {
    await using instance = await startInstance();
    const { oldMaster, newMaster } = await held(instance);
    const oldWorkers = () => descendants(oldMaster).filter((pid) => pid !== newMaster && !isBelow(newMaster, pid));
    for (const round of [1, 2, 3]) {
      signal(oldMaster, 'SIGHUP');
      await waitFor('old workers', () => oldWorkers().length > 0);
      const start = performance.now();
      await waitFor('the end of the old workers', () => oldWorkers().length === 0);
      t.diagnostic(`WINCH again within ${Math.round(performance.now() - start)} ms`);
      assert.equal(instance.journal().filter((line) => line === 'guard rewinch').length, round);
    }
    assert.ok(startTime(newMaster));
    okay(await adopted(instance, 'commit'));
    await instance.assertRest(NEW);
  });

  test('is closed as rolled back when the new master dies', async () => {
    await using instance = await startInstance();
    const { newMaster } = await held(instance);
    signal(newMaster, 'SIGKILL');
    await instance.restWithin(OLD, 8000);
    assert.match(last(instance), /^outcome=rolled-back\nwhy=new-master-died$/m);
  });

  test('goes forward when the old master is killed and nobody starts another one', async () => {
    await using instance = await startInstance();
    const { oldMaster } = await held(instance);
    signal(oldMaster, 'SIGKILL');
    await instance.restWithin(NEW, 15_000);
    assert.match(last(instance), /^outcome=changed-by-others\nwhy=old-master-gone$/m);
  });

  test('is closed by what runs when somebody restarts nginx by hand, and nothing is started beside it', async () => {
    await using instance = await startInstance();
    const { oldMaster, newMaster } = await held(instance);
    // Else it might look between the end and the start, and start the old version itself.
    const guard = Number(/^pid=(\d+)$/m.exec(readFileSync(`${instance.directory}/guard`, 'utf8'))?.[1]);
    signal(guard, 'SIGSTOP');
    for (const master of [oldMaster, newMaster]) signal(master, 'SIGTERM');
    await waitFor('the end of both', () => startTime(oldMaster) === undefined && startTime(newMaster) === undefined);
    const { dir, binaryPath, configFile, errorLog, run } = instance.nginx;
    await run(`${binaryPath} -p ${dir}/ -c ${configFile} -e ${errorLog}`);
    const started = await instance.nginx.masterPid();
    signal(guard, 'SIGCONT');
    await waitFor('closed books', () => /^outcome=rolled-back\nwhy=service-restarted$/m.test(last(instance)));
    await waitFor('the end of the guard', () => processesWith(instance.directory).length === 0);
    assert.deepEqual([await instance.nginx.masterPid(), await instance.answers()], [started, OLD]);
  });

  test('goes forward when the old master is killed and a rollback is asked for', async () => {
    await using instance = await startInstance();
    const { helper, oldMaster } = await retired(instance);
    signal(oldMaster, 'SIGKILL');
    await waitFor('the end of the old master', () => startTime(oldMaster) === undefined);
    const answer = await helper.ask('rollback');
    assert.equal(answer.fields['outcome'], 'changed-by-others');
    await instance.assertRest(NEW);
  });

  test('gets its pid file back at a rollback', async () => {
    await using instance = await startInstance();
    await held(instance);
    rmSync(instance.nginx.pidFile);
    okay(await adopted(instance, 'rollback'));
    await instance.assertRest(OLD);
  });

  test('is rolled back by its guard when the time to hold is over', async () => {
    await using instance = await startInstance();
    await held(instance, { hold: 10 });
    await instance.restWithin(OLD, 8000);
  });

  test('leaves a file that somebody else put at the path as it is: a commit is refused, a rollback ends the books', async () => {
    await using instance = await startInstance();
    await held(instance);
    replaceBinary(instance);
    refused(await adopted(instance, 'commit'), 'changed-by-others');
    assert.equal((await adopted(instance, 'rollback')).fields['outcome'], 'changed-by-others');
    assert.equal(readFileSync(instance.nginx.binaryPath, 'utf8'), 'theirs');
    assert.equal(await instance.answers(), NEW);
  });

  test('is closed as changed by others when the path was taken and its time is over', async () => {
    await using instance = await startInstance();
    await held(instance, { hold: 10 });
    replaceBinary(instance);
    await waitFor('closed books', () => /^outcome=changed-by-others$/m.test(last(instance)));
    assert.equal(readFileSync(instance.nginx.binaryPath, 'utf8'), 'theirs');
    assert.equal(await instance.answers(), NEW);
    await waitFor('the end of the guard', () => processesWith(instance.directory).length === 0);
  });
});

interface Running {
  helper: Helper;
  oldMaster: number;
  newMaster: number;
}

async function begun(instance: Instance, fields: Record<string, number> = {}): Promise<Running> {
  const oldMaster = await instance.nginx.masterPid();
  const helper = await instance.helper();
  await instance.stage(helper, { fields });
  const { newMaster } = okay(await helper.ask('begin')).fields as { newMaster: { pid: number } };
  return { helper, oldMaster, newMaster: newMaster.pid };
}

async function retired(instance: Instance, fields: Record<string, number> = {}): Promise<Running> {
  const running = await begun(instance, fields);
  okay(await running.helper.ask('retire'));
  return running;
}

async function held(instance: Instance, fields: Record<string, number> = {}): Promise<Running> {
  const running = await retired(instance, fields);
  okay(await running.helper.ask('hold'));
  running.helper.endInput();
  await running.helper.ended;
  return running;
}

async function adopted(instance: Instance, verb: string): Promise<Answer> {
  const helper = await instance.helper();
  okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  okay(await helper.ask('adopt', { run: 'later' }));
  return helper.ask(verb);
}

function replaceBinary({ nginx: { binaryPath } }: Instance): void {
  writeFileSync(`${binaryPath}.theirs`, 'theirs', { mode: 0o755 });
  renameSync(`${binaryPath}.theirs`, binaryPath);
}

function last(instance: Instance): string {
  const file = `${instance.directory}/last`;
  return existsSync(file) ? readFileSync(file, 'utf8') : 'nothing was closed';
}

function isBelow(ancestor: number, pid: number): boolean {
  return descendants(ancestor).includes(pid);
}

function orphansOf(instance: Instance, oldMaster: number): number[] {
  return instance.processes().filter((pid) => pid !== oldMaster && !isBelow(oldMaster, pid));
}
