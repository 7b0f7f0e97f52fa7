import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick, type Finished, type Inputs } from '../support/product.ts';
import { runAction } from '../support/runner.ts';
import { waitFor } from '../support/wait.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');
const other = await nginxBuild('1.26.3', 'big');

describe('a held upgrade', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('held');

  const guards = async () => web.sh(`systemctl list-units --plain --no-legend 'nginx-hot-upgrade-*' | cut -d' ' -f1`);

  async function hold(over: Inputs = {}): Promise<Finished> {
    const held = await web.product.run('upgrade', '--binary', newer, ...quick({ 'auto-commit': 'false', ...over }));
    assert.deepEqual([held.code, held.report.outcome, held.host.state], [0, 'held', 'held'], held.output);
    return held;
  }

  test('serves the new version under a systemd guard until commit, which is needed once only', async () => {
    const { load } = await underLoad(web, async () => {
      const { host } = await hold();
      assert.equal(host.guard?.kind, 'systemd');
      const left = Date.parse(host.guard.deadline) - Date.now();
      assert.ok(left > 14 * 60_000 && left < 15 * 60_000, `the guard's deadline is in ${left} ms`);
      assert.match(await guards(), /^nginx-hot-upgrade-\w+\.service$/);
      assert.equal(await web.serving(), '1.26.3');
      const done = await web.product.run('commit');
      assert.deepEqual([done.code, done.report.outcome, done.host.version], [0, 'upgraded', '1.26.3'], done.output);
      await web.atRest({ sha256: done.host.sha256 ?? '', committed: true });
    });
    assert.deepEqual(Object.keys(load.byVersion).sort(), ['1.22.1', '1.26.3']);
    const again = await web.product.run('commit');
    assert.deepEqual([again.code, again.report.outcome], [0, 'unchanged'], again.output);
  });

  test('is shown by status, refused to plan, and ended by rollback', async () => {
    await underLoad(web, async () => {
      const held = await hold();
      const status = await web.product.run('status');
      assert.deepEqual([status.code, status.host.state, status.host.version], [0, 'held', '1.26.3'], status.output);
      assert.deepEqual(status.host.newMaster, held.host.newMaster);
      assert.equal(status.host.guard?.kind, 'systemd');
      const plan = await web.product.run('plan', '--binary', newer, ...quick());
      assert.deepEqual([plan.code, plan.report.outcome], [1, 'refused'], plan.output);
      const back = await web.product.run('rollback');
      assert.deepEqual([back.code, back.report.outcome, back.host.version], [0, 'rolled-back', '1.22.1'], back.output);
    });
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
    const again = await web.product.run('rollback');
    assert.deepEqual([again.code, again.report.outcome], [0, 'unchanged'], again.output);
  });

  test('refuses another binary, and goes on from there with the same one', async () => {
    await underLoad(web, async () => {
      const held = await hold();
      const processes = await web.processes();
      const refused = await web.product.run('upgrade', '--binary', other, ...quick());
      assert.deepEqual([refused.code, refused.report.outcome], [1, 'refused'], refused.output);
      assert.deepEqual(
        refused.host.refusals.map(({ code }) => code),
        ['upgrade-in-progress'],
      );
      assert.deepEqual(await web.processes(), processes);
      assert.equal(await web.book('phase'), 'held');
      const done = await web.product.run('upgrade', '--binary', newer, ...quick());
      assert.deepEqual([done.code, done.report.outcome], [0, 'upgraded'], done.output);
      assert.deepEqual(done.host.newMaster, held.host.newMaster);
      await web.atRest({ sha256: done.host.sha256 ?? '', committed: true });
    });
  });

  test('goes back by itself when nobody committed within hold-timeout', async () => {
    await underLoad(web, async () => {
      await hold({ 'hold-timeout': '5s' });
      await web.closes(9_000);
    });
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
    const { report, output } = await web.product.run('commit');
    assert.equal(report.outcome, 'unchanged', output);
  });

  test('keeps the old master parked when somebody sends it a reload, and commits without orphans', async () => {
    await underLoad(web, async () => {
      const { host } = await hold();
      const old = host.oldMaster?.pid ?? 0;
      const children = async () => (await web.sh(`cat /proc/${old}/task/${old}/children`)).split(' ');
      await web.sh(`kill -HUP ${old}`);
      await waitFor('workers of the old master', async () => (await children()).length > 1);
      await waitFor('a parked old master', async () => (await children()).length === 1);
      const done = await web.product.run('commit');
      assert.deepEqual([done.code, done.report.outcome], [0, 'upgraded'], done.output);
      await web.atRest({ sha256: done.host.sha256 ?? '', committed: true });
    });
  });

  test('becomes the only one where the parked old master is killed', async () => {
    await underLoad(web, async () => {
      const { host } = await hold();
      await web.sh(`kill -KILL ${host.oldMaster?.pid}`);
      await web.closes(15_000);
      await web.atRest({ sha256: host.sha256 ?? '', committed: true });
    });
    assert.equal(await web.serving(), '1.26.3');
  });

  test('is ended by a power cut: the old version boots, and the next upgrade works', async () => {
    await hold();
    await web.powerCut();
    await web.boot();
    assert.equal(await web.serving(), '1.22.1');
    const status = await web.product.run('status');
    assert.equal(status.host.version, '1.22.1', status.output);
    const { value } = await underLoad(web, () => web.product.run('upgrade', '--binary', newer, ...quick()));
    assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
    assert.equal(await web.serving(), '1.26.3');
    await web.powerCut();
    await web.boot();
    assert.equal(await web.serving(), '1.26.3');
    await web.atRest({ before: await snapshotHost(web), sha256: value.host.sha256 ?? '', committed: true });
  });

  test('is not committed over the head of who misspelt auto-commit: nothing is done at all', async () => {
    const job = {
      targets: `${web.user}@${web.address}`,
      key: web.clientKey,
      'known-hosts': web.knownHosts,
      binary: newer,
      'health-url': 'http://127.0.0.1/',
      'bake-time': '0s',
    };
    const misspelt = await runAction({ ...job, 'auto-comit': 'false' });
    assert.deepEqual(
      [misspelt.code, misspelt.outputs['outcome'], await web.serving()],
      [1, undefined, '1.22.1'],
      misspelt.log,
    );
    assert.match(JSON.stringify(misspelt.errors), /auto-comit.*Did you mean.*auto-commit/);
    await web.atRest();
    const spelt = await runAction({ ...job, 'auto-commit': 'false' });
    assert.deepEqual([spelt.code, spelt.outputs['outcome']], [0, 'held'], spelt.log);
  });
});
