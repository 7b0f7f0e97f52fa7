import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick, type Finished, type Inputs } from '../support/product.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

/** What serves a login dies as a broken network would have it; what it had started lives on. */
const CUT = `pkill -KILL -f '^sshd: deploy'`;
const KILL_HELPER = `pkill -KILL -f '[n]ginx-hot-upgrade session'`;

describe('a run that loses its connection', { skip: noHosts(), timeout: 180_000 }, () => {
  const web = webHost('lost-link');

  const inCanary = { settings: { 'canary-time': '4s' }, moment: () => web.reaches('ready') };
  const inBake = { settings: { 'bake-time': '4s' }, moment: () => web.bakes() };

  async function disturbed(at: { settings: Inputs; moment: () => Promise<void> }, fault: string): Promise<Finished> {
    const { value } = await underLoad(web, async () => {
      const run = web.product.start('upgrade', '--binary', newer, ...quick(at.settings));
      await run.until(at.moment());
      await web.sh(fault);
      return run.ended;
    });
    return value;
  }

  for (const [what, at, fault] of [
    ['in the canary', inCanary, CUT],
    ['in the bake', inBake, CUT],
    ['in the bake, because its helper on the host was killed,', inBake, KILL_HELPER],
    ['in the bake without noticing it for a while', inBake, CUT.replace('-KILL', '-STOP')],
  ] as const) {
    test(`${what} connects again, goes on and ends upgraded`, async () => {
      const { code, report, host, output } = await disturbed(at, fault);
      assert.deepEqual([code, report.outcome, host.reason], [0, 'upgraded', null], output);
      assert.deepEqual([host.state, host.version, host.probe?.failed], ['idle', '1.26.3', 0], output);
      assert.equal(await web.serving(), '1.26.3');
      await web.sh(`kill -KILL $(pgrep -f '^sshd: deploy') 2>/dev/null || :`);
      await web.atRest({ sha256: host.sha256 ?? '', committed: true });
    });
  }

  test('for good says so, and the guard goes back', async () => {
    const at = { ...inBake, settings: { 'bake-time': '60s', 'confirm-timeout': '5s' } };
    const { code, report, host, output } = await disturbed(at, `systemctl stop ssh; ${CUT}`);
    assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'failed', 'connection-lost'], output);
    assert.equal(host.state, null);
    assert.match(host.notes.join('\n'), /guard goes back to the old version within 5 s/);
    await web.closes(6_000);
    assert.equal(await web.serving(), '1.22.1');
    await web.sh('systemctl start ssh');
    const status = await web.product.run('status');
    assert.deepEqual([status.host.state, status.host.version], ['idle', '1.22.1'], status.output);
    await web.atRest();
  });

  test('because its host lost power says that the old version booted', async () => {
    const run = web.product.start('upgrade', '--binary', newer, ...quick({ 'bake-time': '60s' }));
    await run.until(web.bakes());
    await web.powerCut();
    await web.boot();
    const { code, report, host, output } = await run.ended;
    assert.deepEqual([code, report.outcome, host.state, host.version], [1, 'rolled-back', 'idle', '1.22.1'], output);
    assert.match(host.reason?.message ?? '', /restarted|reboot/);
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest({ before: await snapshotHost(web), sha256: host.sha256 ?? '' });
  });

  test('and finds a host with another key behind the address trusts it no more, and the guard goes back', async () => {
    web.spoil();
    const at = { ...inBake, settings: { 'bake-time': '60s', 'confirm-timeout': '5s' } };
    const rekey = `rm /etc/ssh/ssh_host_ed25519_key* && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key`;
    const { code, report, host, output } = await disturbed(at, `${rekey} && systemctl restart ssh; ${CUT}`);
    assert.deepEqual([code, report.outcome, host.reason?.code], [1, 'failed', 'connection-lost'], output);
    assert.match(host.reason?.message ?? '', /key/);
    await web.closes(9_000);
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  });
});
