import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Instance, NEW, OLD, okay, processesWith, startInstance } from '../support/helper-instance.ts';
import { programWith } from '../support/helper-program.ts';
import type { Helper } from '../support/helper-session.ts';
import { signal, startTime } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

/*
 * What the service manager says is a file here, so that each of its words can be tried in turn; the real one is asked in
 * integration/held-restarts.
 */

describe('without the old master', { concurrency: 4 }, () => {
  test('nothing is decided while the service manager moves, nor in the five seconds after that', async () => {
    await using site = await served('runs');
    const { oldMaster } = await held(site);
    site.says('moves');
    signal(oldMaster, 'SIGKILL');
    await waitFor('a guard that waits', () => site.instance.journal().includes('guard waits-for-service'));
    // Longer than those five seconds.
    await delay(6_000);
    site.says('runs');
    await delay(3_000);
    assert.deepEqual([site.decided(), site.last(), await site.instance.answers()], [false, '', NEW]);
    await site.instance.restWithin(NEW, 10_000);
    assert.match(site.last(), /^outcome=changed-by-others\nwhy=old-master-gone$/m);
  });

  test('nothing is started where the service was stopped', async () => {
    await using site = await served('stopped');
    await endBoth(site, await held(site));
    await waitFor('closed books', () => site.last().includes('outcome=changed-by-others\nwhy=service-stopped'));
    assert.deepEqual(site.instance.processes(), []);
  });

  test('the old version is started where the service failed', async () => {
    await using site = await served('failed');
    await endBoth(site, await held(site));
    await waitFor('closed books', () => /^outcome=outage$/m.test(site.last()));
    assert.equal(await site.instance.answers(), OLD);
  });

  test('a start that never ends is given up, and told of', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper({ program: programWith('START_TIME=2') });
    await instance.stage(helper);
    const oldMaster = await instance.nginx.masterPid();
    const { newMaster } = okay(await helper.ask('begin')).fields as { newMaster: { pid: number } };
    // nginx waits for whoever opens its other end.
    const pipe = instance.mark('never-written');
    execFileSync('mkfifo', [pipe]);
    writeFileSync(instance.nginx.configFile, `include ${pipe};\n`, { flag: 'a' });
    for (const master of [oldMaster, newMaster.pid]) signal(master, 'SIGKILL');
    assert.equal(okay(await helper.ask('rollback', { why: 'new-master-died' })).fields['outcome'], 'down');
    assert.deepEqual(instance.processes(), []);
  });

  test('nothing is started either where the service is stopped while a commit drains', async () => {
    await using site = await served(
      'stopped',
      `location /slow { limit_rate 100; return 200 "${'0123456789'.repeat(400)}"; }`,
    );
    // On the old workers, which the old master will wait for.
    const slow = await fetch(`http://127.0.0.1:${site.instance.nginx.port}/slow`);
    const running = await held(site);
    const committer = await adopted(site);
    const committed = committer.ask('commit');
    await waitFor('QUIT', () => site.instance.journal().some((line) => line.endsWith('quit-old')));
    signal(running.newMaster, 'SIGKILL');
    const { fields } = await committed;
    assert.deepEqual([fields['why'], site.instance.journal().includes('session outage')], ['service-stopped', false]);
    await slow.body?.cancel();
  });

  test('the orphans of a new master that was killed make room for whoever is started', async () => {
    await using site = await served('runs');
    const { oldMaster, newMaster } = await held(site);
    site.says('moves');
    for (const master of [oldMaster, newMaster]) signal(master, 'SIGKILL');
    await waitFor('the end of the orphans', () => site.instance.processes().length === 0, 5_000);
    assert.deepEqual([site.last(), existsSync(`${site.instance.directory}/upgrade`)], ['', true]);
    site.says('stopped');
    await waitFor('closed books', () => site.last().includes('why=service-stopped'));
  });
});

interface Site extends AsyncDisposable {
  instance: Instance;
  program: string;
  /** From now on. */
  says(state: string): void;
  /** Whether anybody decided about this upgrade. */
  decided(): boolean;
  last(): string;
}

async function served(state: string, server = ''): Promise<Site> {
  const instance = await startInstance({ server });
  const file = instance.mark('service');
  const says = (word: string) => writeFileSync(file, `${word}\n`);
  says(state);
  const read = (name: string) => {
    const path = `${instance.directory}/${name}`;
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  return {
    instance,
    program: programWith(`ask_service() { UNIT_MAIN=''; read -r UNIT_STATE <'${file}'; }`),
    says,
    decided: () => read('decision') !== '',
    last: () => read('last'),
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  };
}

async function held({ instance, program }: Site): Promise<{ oldMaster: number; newMaster: number }> {
  const oldMaster = await instance.nginx.masterPid();
  const helper = await instance.helper({ program });
  await instance.stage(helper);
  const { newMaster } = okay(await helper.ask('begin')).fields as { newMaster: { pid: number } };
  okay(await helper.ask('retire'));
  okay(await helper.ask('hold'));
  helper.endInput();
  await helper.ended;
  return { oldMaster, newMaster: newMaster.pid };
}

async function adopted({ instance, program }: Site): Promise<Helper> {
  const helper = await instance.helper({ program });
  okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  okay(await helper.ask('adopt', { run: 'later' }));
  return helper;
}

async function endBoth({ instance }: Site, masters: { oldMaster: number; newMaster: number }): Promise<void> {
  for (const master of Object.values(masters)) signal(master, 'SIGTERM');
  await waitFor('the end of both', () => Object.values(masters).every((master) => startTime(master) === undefined));
  await waitFor('the end of the guard', () => processesWith(instance.directory).length === 0, 15_000);
}
