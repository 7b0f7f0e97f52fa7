import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIG_CHECKS } from '../../../../src/host/preflight/config-checks.ts';
import { EXEC_CHECKS } from '../../../../src/host/preflight/exec-checks.ts';
import { HOST_CHECKS, MASTER_CHECKS } from '../../../../src/host/preflight/master-checks.ts';
import { NOTICE_CHECKS } from '../../../../src/host/preflight/notice-checks.ts';
import { judgeHost } from '../../../../src/host/preflight/preflight.ts';
import { SERVICE_CHECKS } from '../../../../src/host/preflight/service-checks.ts';
import { about, configured, factsOf, type Raw, type Recording, unitWith } from '../recorded.ts';
import { AROUND } from './around-cases.ts';
import { CONFIGURED } from './config-cases.ts';
import { FOUND, leaving, worker } from './host-cases.ts';
import { NOTED } from './notice-cases.ts';
import { codes, only, STRICT } from './rules.ts';

const TWICE = ['1 tcp 00000000:0050', '2 tcp 00000000:0050'];
const OTHER_NAME = { pathNginx: '/usr/local/sbin/nginx', pathNginxVersion: 'nginx version: nginx/1.22.1' };

const NOTHING: [what: string, from: Recording, changes?: Raw][] = [
  ['a host with systemd', 'systemd'],
  ['an instance that was started by hand', 'local'],
  ['an instance after an upgrade', 'committed'],
  ['a unit that names the pid file through /var/run', 'systemd', unitWith({ PIDFile: '/var/run//nginx.pid' })],
  ['a unit without a known type', 'systemd', { unit: { name: 'nginx.service', startsBinary: true, properties: [] } }],
  ['`daemon on` and `master_process on`', 'systemd', { daemon: 'on', masterProcess: 'on' }],
  [
    'an address that is spelled in another way',
    'systemd',
    configured(['http.server listen *:80 default_server'], /listen/),
  ],
  ['an address that the wildcard of its port covers', 'systemd', configured(['http.server listen 127.0.0.1:80'])],
  ['a name that only nginx can look up', 'systemd', configured(['http.server listen localhost:80'], /listen/)],
  [
    'a server whose include may say where it listens',
    'systemd',
    configured(['http.server listen (unknown)'], /listen/),
  ],
  ['a stream over UDP', 'systemd', configured(['stream.server listen 53 udp'])],
  [
    'as many sockets as workers',
    'systemd',
    { listeners: TWICE, ...configured(['http.server listen 80 reuseport'], /listen/) },
  ],
  [
    'keys with a file of passphrases',
    'systemd',
    { encryptedKeys: ['/a.key'], ...configured(['http ssl_password_file /p']) },
  ],
  ['a confinement that only complains', 'systemd', about('label=system_u:system_r:httpd_t:s0', 'selinux=0')],
  ['a master that is not confined', 'systemd', about('label=unconfined')],
  ['variables that mean nothing to nginx', 'systemd', unitWith({ Environment: 'LANG PATH LC_ALL' })],
  ['a limit that the machine itself cannot give', 'systemd', unitWith({ LimitNOFILE: '524288' })],
  ['the same version under another name in PATH', 'systemd', OTHER_NAME],
  [
    'TLS with a ticket key',
    'systemd',
    configured(['http.server listen 80 ssl', 'http ssl_session_ticket_key /k'], /listen/),
  ],
  ['a service of another user that its unit starts by that file', 'systemd', { masterUid: 33 }],
  ['old workers that still drain after a reload', 'systemd', { children: [worker, leaving] }],
];

const ALL = [...FOUND, ...AROUND, ...CONFIGURED, ...NOTED];

describe('judgeHost', () => {
  for (const { code, where, from = 'systemd', changes = {}, says, fix } of ALL) {
    it(`finds ${code} where ${where}`, () => {
      const finding = only(judgeHost(factsOf(from, changes), STRICT));
      assert.equal(finding.code, code);
      assert.match(finding.message, says);
      assert.match(finding.fix, fix);
    });
  }

  for (const [what, from, changes] of NOTHING) {
    it(`finds nothing wrong with ${what}`, () => {
      assert.deepEqual(judgeHost(factsOf(from, changes), STRICT), { refusals: [], warnings: [] });
    });
  }

  it('has a case here for each of its checks', () => {
    const tables = [HOST_CHECKS, MASTER_CHECKS, EXEC_CHECKS, CONFIG_CHECKS, SERVICE_CHECKS, NOTICE_CHECKS];
    const checks = tables.flatMap((table) => table.map(({ code }) => code));
    assert.deepEqual([...new Set(ALL.map(({ code }) => code))].sort(), [...new Set(checks)].sort());
  });

  it("finds somebody else's unfinished upgrade, and does not mistake the new master's pid file for a wrong one", () => {
    const found = codes(judgeHost(factsOf('held', { upgrade: null, lock: null, lockAlive: false }), STRICT));
    assert.deepEqual(found, ['upgrade-in-progress']);
  });
});
