import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Instance, NEW, OLD, okay, refused, startInstance } from '../support/helper-instance.ts';
import { noShell, SHELLS, type Shell } from '../support/helper-session.ts';
import { freePort } from '../support/port.ts';
import { signal } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

for (const shell of SHELLS) {
  describe(`while both generations live, under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('sockets that only the old master holds, with reuseport and fewer workers, are no readiness', async () => {
      const port = await freePort();
      await using instance = await startInstance({ workers: 3, server: `listen 127.0.0.1:${port} reuseport;` });
      const helper = await instance.helper({ shell });
      edit(instance, 'worker_processes 3;', 'worker_processes 2;');
      await instance.stage(helper);
      const { message } = refused(await helper.ask('begin'), 'not-ready');
      assert.match(message, new RegExp(`only the old master holds.*: socket \\d+ of port ${port}$`));
      edit(instance, 'worker_processes 2;', 'worker_processes 3;');
      okay(await helper.ask('rollback', { why: 'not-ready' }));
      await instance.assertRest(OLD, { workers: 3 });
    });

    test('a master whose pid file could not be renamed is healed: it reloads again, and once', async () => {
      await using instance = await startInstance();
      const answer = await poisoned(instance, shell, { healed: true });
      assert.equal(answer.fields['poisoned'], false);
      assert.ok(instance.journal().includes('session healed'), instance.journal().join(', '));
      const before = workersOf(instance);
      signal(await instance.nginx.masterPid(), 'SIGHUP');
      await waitFor('other workers, as many', () => {
        const now = workersOf(instance);
        return now.length === before.length && !now.some((pid) => before.includes(pid));
      });
      await instance.assertRest(OLD);
    });

    test('a master that cannot be healed is told of, and serves', async () => {
      await using instance = await startInstance();
      const answer = await poisoned(instance, shell, { healed: false });
      assert.equal(answer.fields['poisoned'], true);
      rmdirSync(`${instance.nginx.pidFile}.oldbin`);
      await instance.assertRest(OLD);
    });

    test('an old master that somebody reloads is parked again, and that is told', async () => {
      await using instance = await startInstance();
      const helper = await retired(instance, shell);
      assert.equal(okay(await helper.ask('look')).fields['reparked'], false);
      const old = Number(readFileSync(`${instance.nginx.pidFile}.oldbin`, 'utf8'));
      signal(old, 'SIGHUP');
      await waitFor('workers of the old master', () => workersOf(instance).length > 2);
      assert.equal(okay(await helper.ask('look')).fields['reparked'], true);
      await waitFor('no worker of the old master', () => workersOf(instance).length === 2);
      okay(await helper.ask('commit'));
      await instance.assertRest(NEW);
    });

    test('the old master follows when its log is rotated', async () => {
      await using instance = await startInstance();
      const helper = await retired(instance, shell);
      const { errorLog, pidFile } = instance.nginx;
      const old = Number(readFileSync(`${pidFile}.oldbin`, 'utf8'));
      renameSync(errorLog, `${errorLog}.1`);
      signal(await instance.nginx.masterPid(), 'SIGUSR1');
      await waitFor('a new log', () => isFile(errorLog));
      okay(await helper.ask('look'));
      const follows = () => statSync(`/proc/${old}/fd/2`).ino === statSync(errorLog).ino;
      await waitFor('the old master to write to the new log', follows);
      okay(await helper.ask('look'));
      assert.equal(instance.journal().filter((event) => event === 'session reopen-old').length, 1);
      okay(await helper.ask('rollback', { why: 'unhealthy' }));
      await instance.assertRest(OLD);
    });

    test('the old master follows also where it was rotated and then rolled back', async () => {
      await using instance = await startInstance();
      const helper = await retired(instance, shell);
      const { errorLog } = instance.nginx;
      renameSync(errorLog, `${errorLog}.1`);
      signal(await instance.nginx.masterPid(), 'SIGUSR1');
      await waitFor('a new log', () => isFile(errorLog));
      okay(await helper.ask('rollback', { why: 'unhealthy' }));
      const old = await instance.nginx.masterPid();
      const follows = () => statSync(`/proc/${old}/fd/2`).ino === statSync(errorLog).ino;
      await waitFor('the old master to write to the new log', follows);
      await instance.assertRest(OLD);
    });

    test('serious lines are found in a log that was rotated since, too', async () => {
      await using instance = await startInstance();
      const { errorLog } = instance.nginx;
      writeFileSync(errorLog, '2026/01/01 00:00:00 [alert] 7#7: an old trouble\n', { flag: 'a' });
      const helper = await retired(instance, shell);
      const master = await instance.nginx.masterPid();
      const [moved, next] = ['first', 'second'].map(
        (word) => `2026/01/01 00:00:01 [alert] ${master}#${master}: ${word}`,
      );
      writeFileSync(errorLog, `${moved}\n`, { flag: 'a' });
      renameSync(errorLog, `${errorLog}.1`);
      writeFileSync(errorLog, `${next}\n`);
      const { fields } = okay(await helper.ask('look'));
      assert.deepEqual(fields['errorLog'], [moved, next]);
      assert.deepEqual(fields['errorsBefore'], ['2026/01/01 00:00:00 [alert] 7#7: an old trouble']);
      okay(await helper.ask('commit'));
      await instance.assertRest(NEW);
    });

    test('serious lines come with those who may have written them, and with what was there before', async () => {
      await using instance = await startInstance();
      const { errorLog } = instance.nginx;
      writeFileSync(errorLog, '2026/01/01 00:00:00 [alert] 7#7: an old trouble\n', { flag: 'a' });
      const helper = await retired(instance, shell);
      const quiet = okay(await helper.ask('look')).fields;
      assert.deepEqual([quiet['errorLog'], quiet['newPids']], [[], undefined]);
      const master = await instance.nginx.masterPid();
      const line = `2026/01/01 00:00:01 [alert] ${master}#${master}: a new trouble`;
      const others = '2026/01/01 00:00:01 [alert] 8#8: of another one\n'.repeat(50);
      writeFileSync(errorLog, `${line}\n${others}`, { flag: 'a' });
      const { fields } = okay(await helper.ask('look'));
      assert.deepEqual(fields['errorLog'], [line]);
      assert.deepEqual(fields['errorsBefore'], ['2026/01/01 00:00:00 [alert] 7#7: an old trouble']);
      const pids = String(fields['newPids']).split(' ').map(Number);
      assert.equal(pids[0], master);
      for (const pid of workersOf(instance)) assert.ok(pids.includes(pid), `${pid} of ${pids.join()}`);
      okay(await helper.ask('commit'));
      await instance.assertRest(NEW);
    });
  });
}

/** A directory is where the pid file should be renamed to: USR2 fails in the master itself. Then the rollback. */
async function poisoned(instance: Instance, shell: Shell, { healed }: { healed: boolean }) {
  const helper = await instance.helper({ shell });
  await instance.stage(helper);
  mkdirSync(`${instance.nginx.pidFile}.oldbin`);
  refused(await helper.ask('begin'), 'not-ready');
  if (healed) rmdirSync(`${instance.nginx.pidFile}.oldbin`);
  return okay(await helper.ask('rollback', { why: 'not-ready' }));
}

async function retired(instance: Instance, shell: Shell) {
  const helper = await instance.helper({ shell });
  await instance.stage(helper);
  okay(await helper.ask('begin'));
  okay(await helper.ask('retire'));
  return helper;
}

function edit({ nginx }: Instance, from: string, to: string): void {
  const text = readFileSync(nginx.configFile, 'utf8');
  assert.ok(text.includes(from), text);
  writeFileSync(nginx.configFile, text.replace(from, to));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function workersOf(instance: Instance): number[] {
  return instance.processes().filter((pid) => titleOf(pid).startsWith('nginx: worker process'));
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
