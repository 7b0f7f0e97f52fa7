import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick, type Finished } from '../support/product.ts';
import { observed, underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

/** Waits on the host itself, which is quicker than asking it, for a child of the old master that runs another file. */
const AS_SOON_AS_IT_RUNS = `old=$(cat /run/nginx.pid) mine=$(stat -L -c %i /proc/$(cat /run/nginx.pid)/exe)
  while :; do
    for child in $(cat /proc/$old/task/$old/children); do
      [ "$(stat -L -c %i /proc/$child/exe)" = "$mine" ] || { kill -KILL $child && exit; }
    done
  done 2>/dev/null`;

describe('a new master that is killed', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('killed');

  const killNewMaster = async () => web.sh(`kill -KILL ${await web.book('nm')}`);

  async function oldServesAlone({ code, report, host, output }: Finished): Promise<void> {
    assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'rolled-back', 'new-master-died'], output);
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  }

  test('as soon as it runs leaves the old generation serving', async () => {
    const { value } = await underLoad(web, async () => {
      const run = web.product.start('upgrade', '--binary', newer, ...quick());
      await run.until(web.sh(AS_SOON_AS_IT_RUNS));
      return run.ended;
    });
    await oldServesAlone(value);
  });

  test('before it is ready leaves the old generation serving', async () => {
    const hangs = await nginxBuild('1.26.3', 'master-hangs');
    const { value } = await underLoad(web, async () => {
      const run = web.product.start('upgrade', '--binary', hangs, ...quick());
      await run.until(web.reaches('begun'));
      await run.until(web.sh(`until grep -q ^nm= /var/lib/nginx-hot-upgrade/*/upgrade; do sleep 0.02; done`));
      await killNewMaster();
      return run.ended;
    });
    await oldServesAlone(value);
  });

  for (const [when, phase, settings] of [
    ['in the canary, its workers orphaned,', 'ready', { 'canary-time': '10s' }],
    ['right after the old workers were told to go', 'retired', { 'bake-time': '10s' }],
  ] as const) {
    test(`${when} leaves the old generation serving`, async () => {
      const { value } = await underLoad(web, async () => {
        const run = web.product.start('upgrade', '--binary', newer, ...quick(settings));
        await run.until(web.reaches(phase));
        await killNewMaster();
        return run.ended;
      });
      await oldServesAlone(value);
    });
  }

  test('in the bake leaves the old generation serving', async () => {
    const { value } = await underLoad(web, async () => {
      const run = web.product.start('upgrade', '--binary', newer, ...quick({ 'bake-time': '10s' }));
      await run.until(web.bakes());
      await killNewMaster();
      return run.ended;
    });
    await oldServesAlone(value);
  });

  test('together with its workers in the bake leaves the old generation serving', async () => {
    const { value, load } = await observed(web, async () => {
      const run = web.product.start('upgrade', '--binary', newer, ...quick({ 'bake-time': '10s' }));
      await run.until(web.bakes());
      await web.sh(`kill -KILL ${await web.book('nm')} $(pgrep -P ${await web.book('nm')})`);
      return run.ended;
    });
    await oldServesAlone(value);
    // What a worker had accepted when it was killed is lost with it; nothing else may be.
    assert.ok(load.failed <= 2, `of ${load.sent} requests failed:\n${load.failures.join('\n')}`);
    assert.deepEqual(
      load.failures.filter((failure) => !failure.endsWith('ECONNRESET')),
      [],
    );
  });

  test('while the upgrade is held is swept up by the guard', async () => {
    await underLoad(web, async () => {
      const held = await web.product.run('upgrade', '--binary', newer, ...quick({ 'auto-commit': 'false' }));
      assert.equal(held.report.outcome, 'held', held.output);
      await killNewMaster();
      await web.closes(8_000);
    });
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  });
});
