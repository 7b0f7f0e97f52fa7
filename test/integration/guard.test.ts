import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick } from '../support/product.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

/** The guard looks once a second; signals and drain take another two here. */
const CONFIRM_AND_SOME_MS = 5_000 + 4_000;

const GUARD_IS_THERE = `g=$(systemctl show -p MainPID --value 'nginx-hot-upgrade-*') && [ "$g" -gt 0 ]`;
const KILL_GUARD = `${GUARD_IS_THERE} && kill -KILL "$g"`;

const JOURNAL = '/var/lib/nginx-hot-upgrade/run-nginx.pid/journal.jsonl';

describe('a run that is killed leaves a host that goes back by itself', { skip: noHosts(), timeout: 180_000 }, () => {
  const web = webHost('guard');

  for (const { when, variant, settings, moment } of [
    { when: 'before the new master is up', variant: 'master-hangs', settings: {}, moment: () => web.reaches('begun') },
    { when: 'in the canary', settings: { 'canary-time': '60s' }, moment: () => web.reaches('ready') },
    { when: 'in the bake', settings: { 'bake-time': '60s' }, moment: () => web.bakes() },
  ] as const) {
    test(when, async () => {
      const binary = variant === undefined ? newer : await nginxBuild('1.26.3', variant);
      await underLoad(web, async () => {
        const inputs = quick({ 'confirm-timeout': '5s', ...settings });
        const run = web.product.start('upgrade', '--binary', binary, ...inputs);
        await run.until(moment());
        run.kill('SIGKILL');
        assert.equal((await run.ended).code, null);
        await web.closes(CONFIRM_AND_SOME_MS);
      });
      assert.equal(await web.serving(), '1.22.1');
      await web.atRest();
      const { code, host, output } = await web.product.run('status');
      assert.deepEqual([code, host.state, host.version], [0, 'idle', '1.22.1'], output);
    });
  }

  test('even when the guard was killed just before: the service manager starts it again', async () => {
    await underLoad(web, async () => {
      const inputs = quick({ 'confirm-timeout': '5s', 'canary-time': '60s' });
      const run = web.product.start('upgrade', '--binary', newer, ...inputs);
      await run.until(web.reaches('ready'));
      await web.sh(KILL_GUARD);
      run.kill('SIGKILL');
      await run.ended;
      await web.closes(CONFIRM_AND_SOME_MS);
    });
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  });

  test('however often the guard is ended: the service manager never gives up', async () => {
    await underLoad(web, async () => {
      const inputs = quick({ 'confirm-timeout': '20s', 'canary-time': '60s' });
      const run = web.product.start('upgrade', '--binary', newer, ...inputs);
      await run.until(web.reaches('ready'));
      run.kill('SIGKILL');
      await run.ended;
      // More often, and faster, than it starts anything anew where it is told nothing (5 times in 10 s).
      await web.sh(`for n in 1 2 3 4 5 6 7; do
        until ${GUARD_IS_THERE}; do sleep 0.02; done
        kill -KILL "$g"; while [ -e "/proc/$g" ]; do sleep 0.01; done
      done`);
      await web.closes(25_000);
    });
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  });

  test('and is not started for ever where its books are gone before it is there again', async () => {
    web.spoil();
    const run = web.product.start('upgrade', '--binary', newer, ...quick({ 'canary-time': '60s' }));
    await run.until(web.reaches('ready'));
    run.kill('SIGKILL');
    await run.ended;
    await web.sh(`${KILL_GUARD}; rm -rf /var/lib/nginx-hot-upgrade`);
    await web.closes(5_000);
  });

  test('nor is a second one started where its end is noticed first by whoever comes to roll back', async () => {
    const inputs = quick({ 'confirm-timeout': '20s', 'canary-time': '60s' });
    await underLoad(web, async () => {
      const run = web.product.start('upgrade', '--binary', newer, ...inputs);
      await run.until(web.reaches('ready'));
      run.kill('SIGKILL');
      await run.ended;
      const killing = web.sh(`until grep -q '"event":"decision"' ${JOURNAL}; do ${KILL_GUARD}; sleep 0.02; done`);
      const { code, report, output } = await web.product.run('rollback');
      assert.deepEqual([code, report.outcome], [0, 'rolled-back'], output);
      await killing;
      await web.closes(5_000);
    });
    const journal = await web.sh(`cat ${JOURNAL}`);
    assert.match(journal, /"event":"adopt"/);
    assert.doesNotMatch(journal, /"event":"guard-lost"/);
    await web.atRest();
  });

  test('and a run that lives is never cut short by the guard, however long it takes, nor ended by its death', async () => {
    const inputs = quick({ 'confirm-timeout': '5s', 'canary-time': '7s' });
    const { value } = await underLoad(web, async () => {
      const run = web.product.start('upgrade', '--binary', newer, ...inputs);
      await run.until(web.reaches('ready'));
      await web.sh(KILL_GUARD);
      return run.ended;
    });
    assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
    await web.atRest({ sha256: value.host.sha256 ?? '', committed: true });
  });
});
