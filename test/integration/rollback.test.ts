import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild, type Variant } from '../support/nginx-builds.ts';
import { quick, type Finished } from '../support/product.ts';
import { observed, underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');
const broken = (variant: Variant) => nginxBuild('1.26.3', variant);

/** Health that only the new version fails, while `/` answers: a load then sees every request that is really lost. */
const RED_FOR_NEWER = `sed -i 's|^    location = / |    location = /health { if ($nginx_version = 1.26.3) { return 500; } return 200; }\\n&|' \
  /etc/nginx/nginx.conf && systemctl reload nginx`;
const RED = { 'health-url': 'http://127.0.0.1/health' };

describe('an upgrade that fails', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('rollback');

  async function isBack({ code, report, host, output }: Finished, reason: string): Promise<void> {
    assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'rolled-back', reason], output);
    assert.deepEqual([host.state, host.version], ['idle', '1.22.1'], output);
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  }

  test('goes back without a failed request where only the new version is unhealthy, and keeps the evidence', async () => {
    await web.sh(RED_FOR_NEWER);
    web.spoil();
    const { value, load } = await underLoad(web, () => web.product.run('upgrade', '--binary', newer, ...quick(RED)));
    await isBack(value, 'unhealthy');
    assert.ok((load.byVersion['1.26.3'] ?? 0) > 0, 'the new version never served');
    assert.match(value.host.evidence?.probes.join('\n') ?? '', /500/);
    assert.match(value.host.evidence?.processes.join('\n') ?? '', /child of \d+: master$/m);
  });

  test('goes back where the new version turns red while it bakes', async () => {
    const turnsRed = await broken('turns-red');
    const { value, load } = await observed(
      web,
      () => web.product.run('upgrade', '--binary', turnsRed, ...quick({ 'bake-time': '6s' })),
      { rate: 20 },
    );
    await isBack(value, 'unhealthy');
    assert.match(value.host.evidence?.probes.join('\n') ?? '', /500/);
    const lost = load.failures.filter((failure) => !/status 500/.test(failure));
    assert.deepEqual(lost, []);
  });

  test('goes back where the new version answers well, and complains in its error log', async () => {
    const complains = await broken('complains');
    const { value, load } = await underLoad(web, () =>
      web.product.run('upgrade', '--binary', complains, ...quick({ 'bake-time': '6s' })),
    );
    await isBack(value, 'error-log');
    assert.match(value.host.reason?.message ?? '', /\[alert\].*zero size buf in a test/);
    assert.match(value.host.evidence?.errorLog[0] ?? '', /zero size buf in a test/);
    assert.ok((load.byVersion['1.26.3'] ?? 0) > 0, 'the new version never served');
  });

  test('stays held for inspection with auto-rollback: false, until rollback', async () => {
    await web.sh(RED_FOR_NEWER);
    web.spoil();
    const { value } = await underLoad(web, () =>
      web.product.run('upgrade', '--binary', newer, ...quick({ ...RED, 'auto-rollback': 'false' })),
    );
    const { code, report, host, output } = value;
    assert.deepEqual([code, report.outcome, host.state, host.reason?.code], [1, 'held', 'held', 'unhealthy'], output);
    assert.ok(host.guard, 'no guard is named');
    assert.equal(await web.serving(), '1.26.3');
    const back = await underLoad(web, () => web.product.run('rollback'));
    assert.deepEqual([back.value.code, back.value.report.outcome], [0, 'rolled-back'], back.value.output);
    await web.atRest();
  });

  for (const [what, variant, reason] of [
    ['whose workers crash', 'worker-segv', 'workers-crashing'],
    ['whose master hangs before it is up', 'master-hangs', 'not-ready'],
    ['whose master exits at once', 'exits-at-start', 'new-master-died'],
  ] as const) {
    test(`goes back from a binary ${what}`, async () => {
      const binary = await broken(variant);
      const { value, load } = await underLoad(web, () =>
        web.product.run('upgrade', '--binary', binary, ...quick({ 'ready-timeout': '3s' })),
      );
      await isBack(value, reason);
      assert.deepEqual(Object.keys(load.byVersion), ['1.22.1']);
      assert.ok((value.host.evidence?.processes.length ?? 0) > 0, 'no process table was kept');
    });
  }

  test('keeps what a crashing new version wrote to the error log', async () => {
    const { host } = await web.product.run('upgrade', '--binary', await broken('worker-segv'), ...quick());
    assert.match(host.evidence?.errorLog.join('\n') ?? '', /exited on signal 11/);
    await web.atRest();
  });
});
