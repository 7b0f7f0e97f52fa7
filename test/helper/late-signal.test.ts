import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Instance, NEW, OLD, okay, refused, startInstance } from '../support/helper-instance.ts';
import { signal } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

describe('USR2', { concurrency: 3 }, () => {
  test('is waited for where the old master is busy, and the new name stays until it is taken', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    const busy = await stopped(instance);
    const begun = helper.ask('begin');
    await delay(4_000); // longer than an idle master may take
    busy.goOn();
    okay(await begun);
    for (const verb of ['retire', 'commit']) okay(await helper.ask(verb));
    await instance.assertRest(NEW);
  });

  test('that comes too late ends with the old version all the same, and with nothing beside it', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper, { fields: { ready: 30 } });
    const busy = await stopped(instance);
    refused(await helper.ask('begin'), 'not-ready');
    const answer = await helper.ask('rollback', { why: 'not-ready' });
    assert.deepEqual([answer.ok, answer.fields['outcome']], [false, 'stuck']);
    okay(await helper.ask('release'));
    busy.goOn();
    await instance.restWithin(OLD, 20_000);
  });

  test('that is taken together with a HUP is waited for while the old master reloads', async () => {
    await using instance = await startInstance();
    const { dir } = instance.nginx;
    const helper = await instance.helper();
    await instance.stage(helper, { fields: { ready: 100 } });
    // Stopped, so that both signals wait; then in a reload that reads from a pipe.
    execFileSync('mkfifo', [`${dir}/pipe`]);
    const text = readFileSync(instance.nginx.configFile, 'utf8');
    writeFileSync(instance.nginx.configFile, `include ${dir}/pipe;\n${text}`);
    const busy = await stopped(instance);
    signal(await instance.nginx.masterPid(), 'SIGHUP');
    const begun = helper.ask('begin');
    await waitFor('the swap', () => helper.events.includes('swap'));
    await delay(500); // for USR2, right behind it
    busy.goOn();
    await delay(3_000); // longer than an idle master may take
    writeFileSync(instance.nginx.configFile, text);
    closeSync(openSync(`${dir}/pipe`, 'r+'));
    okay(await begun);
    okay(await helper.ask('rollback', { why: 'unhealthy' }));
    await instance.restWithin(OLD, 20_000);
  });

  test('is handled by a guard that heals the master after a run that was killed', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    const oldbin = `${instance.nginx.pidFile}.oldbin`;
    mkdirSync(oldbin);
    refused(await helper.ask('begin'), 'not-ready');
    signal(helper.pid, 'SIGKILL');
    rmdirSync(oldbin);
    instance.expire();
    await instance.restWithin(OLD, 20_000);
    assert.ok(instance.journal().includes('guard healed'), instance.journal().join(', '));
  });

  test('that fails in the fork leaves a master that the rollback tells of', async () => {
    await using instance = await startInstance({ user: 'nobody' });
    const helper = await instance.helper({ user: 'nobody' });
    await instance.stage(helper);
    // The workers alone are more than that.
    const limited = await instance.nginx.run(`prlimit --pid ${await instance.nginx.masterPid()} --nproc=1`);
    assert.equal(limited.code, 0, limited.stderr);
    refused(await helper.ask('begin'), 'new-master-died');
    const { fields } = okay(await helper.ask('rollback', { why: 'new-master-died' }));
    assert.equal(fields['poisoned'], true);
    await instance.assertRest(OLD);
  });
});

/** A master that handles no signal, as in a reload that takes long. */
async function stopped({ nginx }: Instance) {
  const pid = await nginx.masterPid();
  signal(pid, 'SIGSTOP');
  return { goOn: () => signal(pid, 'SIGCONT') };
}
