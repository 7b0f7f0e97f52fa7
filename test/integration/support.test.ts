import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { command } from '../support/command.ts';
import { bootHost, noHosts } from '../support/hosts.ts';
import { assertAtRest, snapshotHost } from '../support/invariants.ts';
import { startLoad } from '../support/load.ts';
import { startNginx, type LocalNginx } from '../support/local-nginx.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { signal } from '../support/processes.ts';
import { startSshd } from '../support/sshd.ts';
import { waitFor } from '../support/wait.ts';

const isRoot = process.getuid?.() === 0;

describe('a local nginx', () => {
  for (const user of isRoot ? [undefined, 'nobody'] : [undefined]) {
    test(`answers with its version and is at rest, run as ${user ?? 'ourselves'}`, async () => {
      await using nginx = await startNginx({ binary: await nginxBuild('1.22.1'), ...(user ? { user } : {}) });
      const answer = await fetch(`http://127.0.0.1:${nginx.port}/`);
      assert.deepEqual([answer.status, await answer.text(), answer.headers.get('x-nginx')], [200, 'ok', '1.22.1']);
      await assertAtRest(nginx, { before: await snapshotHost(nginx), workers: 2 });
    });
  }

  test('changes its version by hand under load without a failed request, and the invariants see the half-way', async () => {
    await using nginx = await startNginx({ binary: await nginxBuild('1.22.1') });
    const before = await snapshotHost(nginx);
    const load = await startLoad({ host: '127.0.0.1', port: nginx.port, rate: 300, keepAlive: 5 });
    const old = await nginx.masterPid();
    await nginx.run(
      `cp ${await nginxBuild('1.26.3')} ${nginx.binaryPath}.new && mv ${nginx.binaryPath}.new ${nginx.binaryPath}`,
    );
    await switchOver(nginx, old, () => assert.rejects(assertAtRest(nginx, { before }), /I6: there is an \.oldbin/));
    const { failed, failures, byVersion } = await load.stop();
    assert.equal(failed, 0, failures.join('\n'));
    assert.deepEqual(Object.keys(byVersion).sort(), ['1.22.1', '1.26.3']);
    const sha256 = (await nginx.run(`sha256sum <${nginx.binaryPath}`)).stdout.split(' ')[0] ?? '';
    await assertAtRest(nginx, { before, sha256, committed: true });
  });
});

test('a load reports every refused connection and how long the gap was', async () => {
  await using nginx = await startNginx({ binary: await nginxBuild('1.22.1') });
  const load = await startLoad({ host: '127.0.0.1', port: nginx.port, rate: 100 });
  await nginx.stop();
  await waitFor('a second of nobody answering', secondHasPassed());
  const result = await load.stop();
  assert.ok(result.failed > 50, `failed ${result.failed} of ${result.sent}`);
  assert.ok(result.longestGapMs > 900, `gap ${result.longestGapMs}`);
});

test('an sshd lets the client key in and nobody without it', async () => {
  await using sshd = await startSshd();
  const ssh = [
    'ssh',
    '-F',
    'none',
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'IdentitiesOnly=yes',
  ];
  const to = ['-o', 'UserKnownHostsFile=/dev/null', '-p', String(sshd.port), `${sshd.user}@${sshd.host}`, 'echo in'];
  assert.equal((await command([...ssh, '-i', sshd.clientKeyPath, ...to])).stdout, 'in\n');
  assert.equal((await command([...ssh, '-i', '/dev/null', ...to], { env: { PATH: process.env['PATH'] } })).code, 255);
});

describe('a whole host', { skip: noHosts() }, () => {
  test('serves, survives a power cut with its disk and a reset without it', async () => {
    await using host = await bootHost('support');
    const before = await snapshotHost(host);
    await assertAtRest(host, { before, workers: 2, committed: true });
    await host.run('touch /root/mark && sync');
    await host.powerCut();
    await host.boot();
    assert.equal((await host.run('test -e /root/mark')).code, 0);
    await host.reset();
    assert.equal((await host.run('test -e /root/mark')).code, 1);
    const answer = await fetch(`http://${host.address}/`);
    assert.equal(answer.headers.get('x-nginx'), '1.22.1');
  });

  test('shows a leftover shell and a leftover file', async () => {
    await using host = await bootHost('leftover');
    const before = await snapshotHost(host);
    await host.run('touch /usr/sbin/nginx.new; setsid sleep 1000 >/dev/null 2>&1 </dev/null &');
    await assert.rejects(
      assertAtRest(host, { before }),
      /nothing beside the binary[^]*a process of ours: .*sleep 1000/,
    );
  });
});

async function switchOver(nginx: LocalNginx, old: number, halfWay: () => Promise<void>): Promise<void> {
  signal(old, 'SIGUSR2');
  await waitFor(
    'a new master',
    async () => (await nginx.run(`cat ${nginx.pidFile}`)).stdout.trim() !== '' && (await nginx.masterPid()) !== old,
  );
  await halfWay();
  const children = async () => (await nginx.run(`cat /proc/${old}/task/${old}/children`)).stdout.trim();
  signal(old, 'SIGWINCH');
  await waitFor('the end of the old workers', async () => !(await children()).includes(' '));
  signal(old, 'SIGQUIT');
  await waitFor(
    'the end of the old master',
    async () => (await nginx.run(`test -e ${nginx.pidFile}.oldbin`)).code === 1,
  );
}

function secondHasPassed(): () => boolean {
  const start = performance.now();
  return () => performance.now() - start > 1000;
}
