import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { productFor, quick } from '../support/product.ts';
import { byHand, configured, testRefusals, type RefusedCase } from '../support/refusals.ts';
import { untouched } from '../support/untouched.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');
const otherPid = await nginxBuild('1.26.3', 'other-pid-path');

const unit = (lines: string) => `mkdir -p /etc/systemd/system/nginx.service.d
  printf '%s\\n' '[Service]' ${lines} >/etc/systemd/system/nginx.service.d/test.conf; systemctl daemon-reload`;
const SECOND = `sed 's/listen 80/listen 81/; s#/run/nginx.pid#/run/second.pid#' /etc/nginx/nginx.conf >/etc/nginx/second.conf
  nginx -c /etc/nginx/second.conf`;

const REFUSED: RefusedCase[] = [
  {
    what: '`daemon off` under Type=simple',
    host: `${unit(`Type=simple PIDFile= ExecStart= 'ExecStart=/usr/sbin/nginx -g "daemon off;"'`)}; systemctl restart nginx`,
    codes: ['daemon-off', 'systemd-type'],
  },
  {
    what: 'Type=forking without PIDFile=',
    host: `${unit('PIDFile=')}; systemctl restart nginx`,
    codes: ['systemd-no-pidfile'],
  },
  { what: 'another PIDFile=', host: unit('PIDFile=/run/other.pid'), codes: ['systemd-pidfile-differs'] },
  {
    what: 'a relative argv[0]',
    host: byHand('cd /usr/sbin && ./nginx'),
    codes: ['relative-argv0'],
  },
  {
    what: 'a relative argv[0] that leads nowhere any more, allowed or not',
    host: byHand('mkdir /opt/x && cd /opt/x && ln -s /usr/sbin/nginx nginx && ./nginx && rm /opt/x/nginx'),
    inputs: { allow: 'relative-argv0' },
    codes: ['relative-argv0'],
  },
  {
    what: 'another file at the path than the one that runs',
    host: 'cp -p /usr/sbin/nginx /root/n && mv /root/n /usr/sbin/nginx',
    codes: ['argv0-not-running-file'],
  },
  { what: 'no pid file', host: 'rm /run/nginx.pid', codes: ['pid-file-missing'] },
  { what: 'an empty pid file', host: ': >/run/nginx.pid', codes: ['pid-file-wrong'] },
  { what: 'a pid file of a process long gone', host: 'echo 99999 >/run/nginx.pid', codes: ['pid-file-wrong'] },
  { what: 'two masters and no pid-file', host: SECOND, codes: ['ambiguous-master'] },
  {
    what: 'an upgrade that somebody began by hand',
    host: `kill -USR2 $(cat /run/nginx.pid); until [ -s /run/nginx.pid.oldbin ] && [ -s /run/nginx.pid ]; do sleep 0.02; done`,
    codes: ['upgrade-in-progress'],
  },
  { what: 'a login that may not use sudo', host: 'rm /etc/sudoers.d/deploy', codes: ['sudo-denied'] },
  {
    what: 'an sshd that forwards nothing',
    host: `echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/a.conf; systemctl restart ssh`,
    codes: ['forwarding-denied'],
  },
  {
    what: 'a health URL that is red before any change',
    inputs: { 'health-url': 'http://127.0.0.1/nothing-here' },
    codes: ['health-red-before'],
  },
  {
    what: 'no nginx that runs',
    host: 'systemctl stop nginx',
    inputs: { 'health-url': 'none' },
    codes: ['not-running'],
  },
];

describe('preflight', { skip: noHosts(), timeout: 240_000 }, () => {
  const web = webHost('preflight');

  testRefusals(web, REFUSED, { binary: newer });

  for (const { what, host, inputs, binary = newer } of [
    { what: 'another --pid-path that the configuration overrides', binary: otherPid },
    {
      what: 'a relative argv[0] that leads to the running file, when allowed',
      host: byHand('cd /usr/sbin && ./nginx'),
      inputs: { allow: 'relative-argv0' },
    },
    {
      what: 'an sshd that forwards nothing, when the runner asks the health URL',
      host: `echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/a.conf; systemctl restart ssh`,
      inputs: { 'health-from': 'runner', 'health-url': 'http://{host}/' },
    },
  ] satisfies Omit<RefusedCase, 'codes'>[] as Omit<RefusedCase, 'codes'>[]) {
    test(`lets pass ${what}`, async () => {
      if (host !== undefined) {
        web.spoil();
        await web.sh(host);
      }
      const before = await snapshotHost(web);
      const run = () => web.product.run('upgrade', '--binary', binary, ...quick(inputs));
      const { value } = await underLoad(web, run);
      assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
      await web.atRest({ before, sha256: value.host.sha256 ?? '' });
    });
  }

  test('lets pass a missing pid file, when allowed, and nginx writes it again', async () => {
    await web.sh('rm /run/nginx.pid');
    const inputs = quick({ allow: 'pid-file-missing' });
    const { value } = await underLoad(web, () => web.product.run('upgrade', '--binary', newer, ...inputs));
    assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
    await web.atRest({ sha256: value.host.sha256 ?? '', committed: true });
  });

  test('lets the named one of two masters pass and leaves the other alone', async () => {
    web.spoil();
    await web.sh(SECOND);
    const second = await web.sh('cat /run/second.pid');
    const inputs = quick({ 'pid-file': '/run/nginx.pid', allow: 'shared-binary' });
    const { value } = await underLoad(web, () => web.product.run('upgrade', '--binary', newer, ...inputs));
    assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
    assert.equal(await web.serving(), '1.26.3');
    const answer = await fetch(`http://${web.address}:81/`);
    assert.equal(answer.headers.get('x-nginx'), '1.22.1');
    assert.equal(await web.sh('cat /run/second.pid; [ ! -e /run/second.pid.oldbin ]'), second);
  });
});

describe('plan', { skip: noHosts(), timeout: 60_000 }, () => {
  const web = webHost('plan');

  test('says what would be done, and leaves and changes nothing', async () => {
    const run = () => web.product.run('plan', '--binary', newer, ...quick());
    const { code, report, host, output } = await untouched(web, run);
    assert.deepEqual([code, report.outcome, host.state], [0, 'planned', 'idle'], output);
    assert.match(host.notes.join('\n'), /1\.22\.1 by 1\.26\.3 at \/usr\/sbin\/nginx[^]*systemd/);
    await web.atRest();
  });

  test('without a binary says what it could not judge', async () => {
    const { code, report, host, output } = await untouched(web, () => web.product.run('plan', ...quick()));
    assert.deepEqual([code, report.outcome], [0, 'planned'], output);
    assert.match(host.notes.join('\n'), /Not judged without a binary: config-test-failed/);
    await web.atRest();
  });

  test('judges what needs the file on the host: a broken configuration refuses', async () => {
    web.spoil();
    await web.sh(configured(`echo 'nonsense on;' >>/etc/nginx/nginx.conf`, 'long ago'));
    const { code, host, output } = await untouched(web, () => web.product.run('plan', '--binary', newer, ...quick()));
    assert.deepEqual([code, host.refusals.map((refusal) => refusal.code)], [1, ['config-test-failed']], output);
  });

  test('names the login that may not become root', async () => {
    web.spoil();
    await web.sh('rm /etc/sudoers.d/deploy');
    const { code, host } = await untouched(web, () => productFor(web).run('plan', ...quick()));
    assert.deepEqual([code, host.refusals[0]?.code], [1, 'sudo-denied']);
  });
});
