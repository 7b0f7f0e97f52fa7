import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Instance, NEW, OLD, okay, processesWith, startInstance } from '../support/helper-instance.ts';
import { noShell, SHELLS } from '../support/helper-session.ts';
import { signal } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

for (const shell of SHELLS) {
  describe(`a rehearsal under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('tests the configuration with the new binary as the master runs it, and changes nothing', async () => {
      await using instance = await startInstance();
      const helper = await instance.helper({ shell });
      await instance.stage(helper);
      const before = instance.processes();
      const { fields } = okay(await helper.ask('rehearse'));
      assert.deepEqual([fields['exit'], fields['poisoned']], [0, false]);
      assert.match(String(fields['said']), /test is successful/);
      assert.deepEqual(instance.processes(), before);
      await instance.unstage(helper);
      await instance.assertRest(OLD);
    });

    test('is followed by the upgrade', async () => {
      await using instance = await startInstance();
      const helper = await instance.helper({ shell });
      await instance.stage(helper);
      okay(await helper.ask('rehearse'));
      for (const verb of ['begin', 'retire', 'commit']) okay(await helper.ask(verb));
      await instance.assertRest(NEW);
    });
  });
}

describe('a rehearsal', { concurrency: 4 }, () => {
  test('tells what the new binary says, and how it ended', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    edit(instance, 'worker_processes', 'no_such_directive on;\nworker_processes');
    const { fields } = okay(await helper.ask('rehearse'));
    assert.equal(fields['exit'], 1);
    assert.match(String(fields['said']), /unknown directive "no_such_directive"/);
    edit(instance, 'no_such_directive on;\n', '');
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('puts the old file back as soon as the stub runs', async () => {
    await using instance = await startInstance();
    const { helper, rehearsed, letGo } = await hanging(instance);
    const { stderr, code } = await instance.nginx.run(`${instance.nginx.binaryPath} -v`);
    assert.deepEqual([code, stderr.trim()], [0, `nginx version: nginx/${OLD}`]);
    letGo();
    assert.equal(okay(await rehearsed).fields['exit'], 0);
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('lets whoever else runs the stub wait for the old file', async () => {
    await using instance = await startInstance();
    const { helper, rehearsed, letGo } = await hanging(instance);
    const { binaryPath, dir } = instance.nginx;
    const path = join(dir, 'sbin/path');
    symlinkSync(join(dirname(binaryPath), `.nginx-hot-upgrade-${instance.nonce}/stub`), path);
    const ran = instance.nginx.run(`${path} -v`);
    await waitFor('one that waits', () => processesWith(`${path}\0-v`).length > 0);
    symlinkSync(binaryPath, `${path}.next`);
    renameSync(`${path}.next`, path);
    assert.equal((await ran).stderr.trim(), `nginx version: nginx/${OLD}`);
    rmSync(path);
    letGo();
    okay(await rehearsed);
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('is ended where it hangs', async () => {
    await using instance = await startInstance();
    const before = instance.processes();
    const { helper, rehearsed, letGo } = await hanging(instance, { ready: 10 });
    const { fields } = okay(await rehearsed);
    assert.deepEqual([fields['exit'], fields['poisoned']], [null, false]);
    assert.deepEqual(instance.processes(), before);
    letGo();
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('is ended by the guard where the run is killed in it', async () => {
    await using instance = await startInstance();
    const { helper, rehearsed, letGo } = await hanging(instance);
    rehearsed.catch(() => {});
    signal(helper.pid, 'SIGKILL');
    instance.expire();
    await instance.restWithin(OLD, 20_000);
    letGo();
  });

  test('waits for a master that is busy, and puts the old file back only then', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    const old = await instance.nginx.masterPid();
    signal(old, 'SIGSTOP');
    const rehearsed = helper.ask('rehearse');
    await delay(4_000); // longer than what an idle master may take
    signal(old, 'SIGCONT');
    assert.equal(okay(await rehearsed).fields['exit'], 0);
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('can be asked for again by whoever takes over in the middle', async () => {
    await using instance = await startInstance();
    const { helper, rehearsed, letGo } = await hanging(instance);
    rehearsed.catch(() => {});
    signal(helper.pid, 'SIGKILL');
    await helper.ended;
    letGo();
    const other = await instance.helper();
    okay(await other.ask('facts', { pid_file: instance.nginx.pidFile }));
    okay(await other.ask('adopt', { nonce: instance.nonce }));
    assert.equal(okay(await other.ask('rehearse')).fields['exit'], 0);
    await instance.unstage(other);
    await instance.assertRest(OLD);
  });

  test('is taken back whole where it is only unstaged after that', async () => {
    await using instance = await startInstance();
    const { helper, rehearsed, letGo } = await hanging(instance);
    rehearsed.catch(() => {});
    signal(helper.pid, 'SIGKILL');
    await helper.ended;
    const other = await instance.helper();
    okay(await other.ask('facts', { pid_file: instance.nginx.pidFile }));
    okay(await other.ask('adopt', { nonce: instance.nonce }));
    await instance.unstage(other);
    letGo();
    await instance.restWithin(OLD, 10_000);
  });

  test('heals a master that could not rename its pid file', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    const oldbin = `${instance.nginx.pidFile}.oldbin`;
    mkdirSync(oldbin);
    const { fields } = okay(await helper.ask('rehearse'));
    assert.deepEqual([fields['exit'], fields['poisoned']], [null, true]);
    assert.match(String(fields['evidenceLog']), /rename\(\).*failed/);
    rmdirSync(oldbin);
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  test('leaves a master that reloads as before', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    okay(await helper.ask('rehearse'));
    await instance.unstage(helper);
    const before = instance.processes();
    signal(await instance.nginx.masterPid(), 'SIGHUP');
    await waitFor('new workers', () => {
      const now = instance.processes();
      return now.length === before.length && now.filter((pid) => before.includes(pid)).length === 1;
    });
    await instance.assertRest(OLD);
  });
});

/** A rehearsal whose `-t` waits in a pipe that the configuration includes, until `letGo`, which takes the pipe out. */
async function hanging(instance: Instance, fields = {}) {
  const { dir, binaryPath } = instance.nginx;
  const helper = await instance.helper();
  await instance.stage(helper, { fields });
  execFileSync('mkfifo', [`${dir}/pipe`]);
  edit(instance, 'worker_processes', `include ${dir}/pipe;\nworker_processes`);
  const rehearsed = helper.ask('rehearse');
  const said = join(instance.directory, 'said');
  const old = statSync(binaryPath).ino;
  await waitFor('the stub', () => existsSync(said) && readFileSync(said, 'utf8') !== '');
  await waitFor('the old file', () => statSync(binaryPath).ino === old);
  const letGo = () => {
    edit(instance, `include ${dir}/pipe;\n`, '');
    closeSync(openSync(`${dir}/pipe`, 'r+'));
  };
  return { helper, rehearsed, letGo };
}

function edit({ nginx }: Instance, from: string, to: string): void {
  const text = readFileSync(nginx.configFile, 'utf8');
  assert.ok(text.includes(from), text);
  writeFileSync(nginx.configFile, text.replace(from, to));
}
