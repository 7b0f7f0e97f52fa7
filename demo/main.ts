/** Shows the main job on this machine. Exit code 0 only if everything went as the text says. */
import assert from 'node:assert/strict';
import { messageOf } from '../src/errors.ts';
import { type Load, type LoadResult, startLoad } from '../test/support/load.ts';
import type { LocalNginx } from '../test/support/local-nginx.ts';
import { keepFiles } from './files.ts';
import { openSite, type Site } from './site.ts';
import { say, step } from './text.ts';

const RATE = 200;

async function main(): Promise<void> {
  say('nginx-hot-upgrade: the nginx binary is replaced while it serves, and put back when the new one fails.');
  await using site = await openSite();
  await upgradeUnderLoad(site);
  await breakAnUpgrade(site);
  await lookAround(site);
  await keepFiles(site);
  say('All went as told. This nginx is stopped and removed now; the files above stay.');
}

async function upgradeUnderLoad({ nginx, program, newer }: Site): Promise<void> {
  step(`3. Upgrade to 1.26.3 while ${RATE} requests a second come in, each on a connection of its own`);
  const load = await startRequests(nginx);
  const { code, host } = await program.show('upgrade', '--binary', newer, ...probes(nginx), '--bake-time', '3s');
  const result = await load.stop();
  requests(result);
  assert.deepEqual(
    [code, host.outcome, result.failed],
    [0, 'upgraded', 0],
    'the upgrade should succeed and lose nothing',
  );
  assert.deepEqual(Object.keys(result.byVersion).sort(), ['1.22.1', '1.26.3'], 'both versions should have answered');
  say(
    `Master ${host.oldMaster?.pid} is gone, master ${host.newMaster?.pid} serves; the listening socket was never closed.`,
  );
}

async function breakAnUpgrade({ nginx, program, broken }: Site): Promise<void> {
  step('4. A bad upgrade: a build that we broke on purpose answers 500 from two seconds after its start');
  say(
    'It starts well, passes nginx -t and takes over. The probes see it turn red; the old master is still there and takes back.',
  );
  const master = await nginx.masterPid();
  const load = await startRequests(nginx);
  const { code, host } = await program.show('upgrade', '--binary', broken, ...probes(nginx), '--bake-time', '10s');
  const result = await load.stop();
  requests(result);
  assert.deepEqual(
    [code, host.outcome, host.reason?.code],
    [1, 'rolled-back', 'unhealthy'],
    'it should be rolled back',
  );
  assert.equal(await nginx.masterPid(), master, 'the master of before should serve again');
  say('Those failed requests are the 500s of the broken build, from its turning red to its end.');
  say(`Master ${master} serves again, the same as before. The last probes, written down before anything was undone:`);
  for (const line of host.evidence?.probes.slice(-3) ?? []) say(`  ${line}`);
  assert.notEqual(host.evidence?.probes.length ?? 0, 0, 'there should be evidence');
}

async function lookAround({ nginx, program }: Site): Promise<void> {
  step('5. What is left');
  const { code, host } = await program.show('status');
  assert.deepEqual([code, host.state, host.version], [0, 'idle', '1.26.3'], 'all should be at rest');
  const answer = await fetch(`http://127.0.0.1:${nginx.port}/`, { headers: { connection: 'close' } });
  assert.deepEqual([answer.status, answer.headers.get('x-nginx')], [200, '1.26.3']);
}

function startRequests({ port }: LocalNginx): Promise<Load> {
  return startLoad({ host: '127.0.0.1', port, rate: RATE });
}

function requests({ sent, failed, byVersion, maxMs, longestGapMs }: LoadResult): void {
  const answered = Object.entries(byVersion).map(([version, count]) => `${version} answered ${count}`);
  say(
    `Requests: ${sent} sent, ${failed} failed (${answered.join(', ')}; slowest ${maxMs} ms, longest gap ${longestGapMs} ms).`,
  );
}

function probes({ port }: LocalNginx): string[] {
  return ['--health-url', `http://127.0.0.1:${port}/`, '--health-interval', '500ms', '--health-successes', '3'];
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
await main().catch((error: unknown) => {
  console.error(`\nNot as told: ${messageOf(error)}`);
  process.exitCode = 1;
});
// A load that was still running when something failed must not keep us.
process.exit();
