import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kernelCounters } from '../../bench/kernel.ts';
import { round, type Site } from '../../bench/round.ts';
import { noHosts } from '../support/hosts.ts';
import { assertAtRest, snapshotHost } from '../support/invariants.ts';
import { type LoadOptions, type LoadResult, startLoad } from '../support/load.ts';
import { startNginx } from '../support/local-nginx.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { productAt } from '../support/product.ts';
import { webHost } from '../support/web-host.ts';

// `npm run bench -- drops` is the long form: 300,000 requests.
const ROUNDS = 2;

describe('switches under load, up and back for good, up and back while held', () => {
  test('lose no request of a local nginx', async () => {
    await using nginx = await startNginx({ binary: await nginxBuild('1.22.1') });
    const before = await snapshotHost(nginx);
    const binary = await nginxBuild('1.26.3');
    const product = productAt(nginx);
    const site = { product, binary, healthUrl: `http://127.0.0.1:${nginx.port}/` };
    assertNothingLost(await roundsUnderLoad(site, { host: '127.0.0.1', port: nginx.port, rate: 300 }));
    await assertAtRest(nginx, { before });
  });

  describe('on a whole host', { skip: noHosts() }, () => {
    const web = webHost('zero-drop');

    test('lose no request, and its kernel drops no connection', async () => {
      const binary = await nginxBuild('1.26.3');
      const counters = await kernelCounters(web);
      const site = { product: web.product, binary, healthUrl: 'http://127.0.0.1/' };
      assertNothingLost(await roundsUnderLoad(site, { host: web.address, port: 80, rate: 300, keepAlive: 5 }));
      const { ListenOverflows, ListenDrops } = await kernelCounters(web);
      assert.deepEqual([ListenOverflows, ListenDrops], [counters['ListenOverflows'], counters['ListenDrops']]);
      await web.atRest();
    });
  });
});

async function roundsUnderLoad(site: Site, options: LoadOptions): Promise<LoadResult> {
  const load = await startLoad(options);
  try {
    for (let i = 0; i < ROUNDS; i += 1) await round(site);
  } catch (error) {
    // Its thread would keep a failing test from ending.
    await load.stop();
    throw error;
  }
  return load.stop();
}

function assertNothingLost({ failed, sent, failures, byVersion, longestGapMs }: LoadResult): void {
  assert.equal(failed, 0, `of ${sent} requests ${failed} failed:\n${failures.join('\n')}`);
  assert.ok(longestGapMs < 1_000, `expected no gap of a second, found ${longestGapMs} ms`);
  assert.deepEqual(Object.keys(byVersion).sort(), ['1.22.1', '1.26.3'], 'both versions should have answered');
}
