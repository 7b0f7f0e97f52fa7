import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick } from '../support/product.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

describe('an upgrade of a host over SSH', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('upgrade');

  test('replaces 1.22.1 by 1.26.3 without a failed request, and says so', async () => {
    const { value, load } = await underLoad(web, () => web.product.run('upgrade', '--binary', newer, ...quick()));
    const { code, report, host, output } = value;
    assert.equal(code, 0, output);
    assert.deepEqual([report.outcome, report.ok, host.state, host.reason], ['upgraded', true, 'idle', null]);
    assert.deepEqual([host.previousVersion, host.version, host.drained], ['1.22.1', '1.26.3', true]);
    assert.deepEqual([host.probe?.failed, host.probe?.longestGapMs], [0, 0]);
    assert.deepEqual(Object.keys(load.byVersion).sort(), ['1.22.1', '1.26.3']);
    assert.equal(await web.serving(), '1.26.3');
    await web.atRest({ sha256: host.sha256 ?? '', committed: true });
    assert.equal(String(host.newMaster?.pid), await web.sh('cat /run/nginx.pid'));
    assert.equal(await web.sh('systemctl show -p MainPID --value nginx'), String(host.newMaster?.pid));
  });

  test('asked for a second time does nothing, and status shows it; neither sends a signal', async () => {
    await web.product.run('upgrade', '--binary', newer, ...quick());
    const processes = await web.processes();
    const again = await web.product.run('upgrade', '--binary', newer, ...quick());
    assert.deepEqual([again.code, again.report.outcome], [0, 'unchanged'], again.output);
    const { code, report, host, output } = await web.product.run('status');
    assert.deepEqual([code, report.outcome, host.state, host.version], [0, 'reported', 'idle', '1.26.3'], output);
    assert.match(host.notes.join('\n'), /`rollback` would go back to 1\.22\.1/);
    assert.deepEqual(await web.processes(), processes);
  });

  test('is taken back by rollback after it was committed; a second rollback finds nothing, a second upgrade works', async () => {
    await web.product.run('upgrade', '--binary', newer, ...quick());
    const { value, load } = await underLoad(web, () => web.product.run('rollback', ...quick()));
    assert.deepEqual([value.code, value.report.outcome], [0, 'rolled-back'], value.output);
    assert.deepEqual([value.host.version, value.host.state], ['1.22.1', 'idle']);
    assert.deepEqual(Object.keys(load.byVersion).sort(), ['1.22.1', '1.26.3']);
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest({ committed: true });
    const processes = await web.processes();
    const again = await web.product.run('rollback');
    assert.deepEqual([again.code, again.report.outcome], [0, 'unchanged'], again.output);
    assert.deepEqual(await web.processes(), processes);
    const forward = await underLoad(web, () => web.product.run('upgrade', '--binary', newer, ...quick()));
    assert.deepEqual([forward.value.code, forward.value.report.outcome], [0, 'upgraded'], forward.value.output);
    await web.atRest({ sha256: forward.value.host.sha256 ?? '', committed: true });
  });

  test('survives a reload and a restart of the service afterwards', async () => {
    const { host } = await web.product.run('upgrade', '--binary', newer, ...quick());
    await underLoad(web, () => web.sh('systemctl reload nginx'));
    await web.sh('systemctl restart nginx');
    assert.equal(await web.serving(), '1.26.3');
    await web.atRest({ before: await snapshotHost(web), sha256: host.sha256 ?? '', committed: true });
  });

  test('is refused for a binary that has not the digest it should have, before anything is connected', async () => {
    const processes = await web.processes();
    const { code, output } = await web.product.run('upgrade', '--binary', newer, ...quick({ sha256: '0'.repeat(64) }));
    assert.equal(code, 1);
    assert.match(output, /sha256/);
    assert.doesNotMatch(output, /connected to/);
    assert.deepEqual(await web.processes(), processes);
    await web.atRest();
  });
});
