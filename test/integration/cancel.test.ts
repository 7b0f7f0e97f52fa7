import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick } from '../support/product.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

describe(
  'a cancelled run leaves within six seconds, its host rolled back',
  { skip: noHosts(), timeout: 120_000 },
  () => {
    const web = webHost('cancel');

    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      for (const { when, variant, settings, moment } of [
        { when: 'before it is ready', variant: 'master-hangs', settings: {}, moment: () => web.reaches('begun') },
        { when: 'in the canary', settings: { 'canary-time': '60s' }, moment: () => web.reaches('ready') },
        { when: 'in the bake', settings: { 'bake-time': '60s' }, moment: () => web.bakes() },
      ] as const) {
        test(`${signal} ${when}`, async () => {
          const binary = variant === undefined ? newer : await nginxBuild('1.26.3', variant);
          const { value, took } = (
            await underLoad(web, async () => {
              const run = web.product.start('upgrade', '--binary', binary, ...quick(settings));
              await run.until(moment());
              const asked = performance.now();
              run.kill(signal);
              return { value: await run.ended, took: performance.now() - asked };
            })
          ).value;
          const { code, report, host, output } = value;
          assert.ok(took < 6_000, `it took ${took} ms`);
          assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'rolled-back', 'cancelled'], output);
          assert.deepEqual([host.state, host.version], ['idle', '1.22.1'], output);
          assert.equal(await web.serving(), '1.22.1');
          await web.atRest();
        });
      }
    }
  },
);
