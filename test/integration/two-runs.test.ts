import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick, type Finished } from '../support/product.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

describe('two runs on one host', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('two-runs');

  test('the second is refused and told who is at work, the first goes on', async () => {
    const { value } = await underLoad(web, async () => {
      const first = web.product.start('upgrade', '--binary', newer, ...quick({ 'canary-time': '6s' }));
      await first.until(web.reaches('ready'));
      const { code, report, host, output } = await web.product.run('upgrade', '--binary', newer, ...quick());
      assert.deepEqual([code, report.outcome, host.refusals[0]?.code], [1, 'refused', 'locked'], output);
      assert.match(host.refusals[0]?.message ?? '', new RegExp(`process ${first.pid} on `));
      return first.ended;
    });
    assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
    await web.atRest({ sha256: value.host.sha256 ?? '', committed: true });
  });

  test('a commit and a plan are refused in the canary, a status is answered, a rollback ends it at once', async () => {
    const { first, second } = (
      await underLoad(web, async () => {
        const run = web.product.start('upgrade', '--binary', newer, ...quick({ 'canary-time': '60s' }));
        await run.until(web.reaches('ready'));
        for (const command of ['commit', 'plan']) {
          const { code, host, output } = await web.product.run(command, ...quick());
          assert.deepEqual([code, host.refusals[0]?.code], [1, 'locked'], output);
        }
        const status = await web.product.run('status');
        assert.deepEqual([status.code, status.host.state], [0, 'upgrading'], status.output);
        return { second: await web.product.run('rollback'), first: await run.ended };
      })
    ).value;
    await saysWhoDidIt({ first, second });
  });

  test('a rollback in the bake of the other goes back at once, and the other says so', async () => {
    const { first, second } = (
      await underLoad(web, async () => {
        const run = web.product.start('upgrade', '--binary', newer, ...quick({ 'bake-time': '60s' }));
        await run.until(web.bakes());
        return { second: await web.product.run('rollback'), first: await run.ended };
      })
    ).value;
    await saysWhoDidIt({ first, second });
  });

  async function saysWhoDidIt({ first, second }: { first: Finished; second: Finished }): Promise<void> {
    assert.deepEqual([second.code, second.report.outcome], [0, 'rolled-back'], second.output);
    const { code, report, host, output } = first;
    assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'rolled-back', 'changed-by-others'], output);
    assert.deepEqual([host.state, host.version], ['idle', '1.22.1'], output);
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  }
});
