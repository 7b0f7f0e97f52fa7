import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXEC_CHECKS } from '../../../../src/host/preflight/exec-checks.ts';
import { HOST_CHECKS, MASTER_CHECKS } from '../../../../src/host/preflight/master-checks.ts';
import { judgeHost } from '../../../../src/host/preflight/preflight.ts';
import { SERVICE_CHECKS } from '../../../../src/host/preflight/service-checks.ts';
import { factsOf, type Raw, type Recording, unitWith } from '../recorded.ts';
import { FOUND, leaving, worker } from './host-cases.ts';
import { codes, only, STRICT } from './rules.ts';

const NOTHING: [what: string, from: Recording, changes?: Raw][] = [
  ['a host with systemd', 'systemd'],
  ['an instance that was started by hand', 'local'],
  ['an instance after an upgrade', 'committed'],
  ['a unit that names the pid file through /var/run', 'systemd', unitWith({ PIDFile: '/var/run//nginx.pid' })],
  ['a unit without a known type', 'systemd', { unit: { name: 'nginx.service', properties: [] } }],
  ['`daemon on` and `master_process on`', 'systemd', { daemon: 'on', masterProcess: 'on' }],
  ['old workers that still drain after a reload', 'systemd', { children: [worker, leaving] }],
];

describe('judgeHost', () => {
  for (const { code, where, from = 'systemd', changes = {}, says, fix } of FOUND) {
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
    const checks = [...HOST_CHECKS, ...MASTER_CHECKS, ...EXEC_CHECKS, ...SERVICE_CHECKS].map(({ code }) => code);
    assert.deepEqual([...new Set(FOUND.map(({ code }) => code))].sort(), checks.sort());
  });

  it("finds somebody else's unfinished upgrade, and does not mistake the new master's pid file for a wrong one", () => {
    const found = codes(judgeHost(factsOf('held', { upgrade: null, lock: null, lockAlive: false }), STRICT));
    assert.deepEqual(found, ['upgrade-in-progress']);
  });
});
