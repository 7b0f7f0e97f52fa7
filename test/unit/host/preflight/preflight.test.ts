import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUILD_CHECKS } from '../../../../src/host/preflight/build-checks.ts';
import { FILE_CHECKS } from '../../../../src/host/preflight/candidate-checks.ts';
import { CONFIG_CHECKS } from '../../../../src/host/preflight/config-checks.ts';
import { EXEC_CHECKS } from '../../../../src/host/preflight/exec-checks.ts';
import { HOST_CHECKS, MASTER_CHECKS } from '../../../../src/host/preflight/master-checks.ts';
import { joined, judgeFinding, judgeHost } from '../../../../src/host/preflight/preflight.ts';
import { NOTICE_CHECKS } from '../../../../src/host/preflight/notice-checks.ts';
import { SERVICE_CHECKS } from '../../../../src/host/preflight/service-checks.ts';
import { CODES, PREFLIGHT_CODES } from '../../../../src/host/preflight/codes.ts';
import { factsOf, unitWith } from '../recorded.ts';
import { allowing, codes, STRICT } from './rules.ts';

const TABLES = {
  HOST_CHECKS,
  MASTER_CHECKS,
  EXEC_CHECKS,
  CONFIG_CHECKS,
  SERVICE_CHECKS,
  NOTICE_CHECKS,
  FILE_CHECKS,
  BUILD_CHECKS,
};

/** Found by those who connect, stage or probe. */
const FOUND_ELSEWHERE = [
  'config-test-failed',
  'config-test-timeout',
  'forwarding-denied',
  'health-red-before',
  'locked',
  'network-namespace',
  'not-attributed',
  'not-retained',
  'rehearsal-failed',
  'shell-denied',
  'state-unreadable',
  'sudo-denied',
];

function finding(code: string) {
  return { code, message: 'found', fix: 'mend it.' };
}

describe('preflight', () => {
  it('explains every code that there is, once', () => {
    const explained = Object.values(CODES).flatMap((group) => group.map(({ code }) => code));
    const found = Object.values(TABLES).flatMap((table) => table.map(({ code }) => code));
    assert.deepEqual(explained.sort(), [...new Set([...found, ...FOUND_ELSEWHERE])].sort());
  });

  for (const [name, table] of Object.entries(TABLES)) {
    it(`knows the severity of every code in ${name}`, () => {
      for (const { code } of table) assert.ok(PREFLIGHT_CODES.has(code), code);
    });
  }

  it('refuses for everything that was not allowed, and reports all of it together', () => {
    const facts = factsOf('systemd', {
      ...unitWith({ Type: 'simple', PIDFile: '/run/other.pid' }),
      daemon: 'off',
      masterProcess: 'off',
      oldbin: '12',
      pidText: null,
      argv0: 'nginx',
      pathWritable: false,
    });
    const { refusals, warnings } = judgeHost(facts, STRICT);
    assert.deepEqual(
      refusals.map(({ code }) => code),
      [
        'daemon-off',
        'master-process-off',
        'pid-file-missing',
        'relative-argv0',
        'immutable',
        'systemd-type',
        'systemd-pidfile-differs',
      ],
    );
    assert.deepEqual(codes({ refusals: [], warnings }), ['stale-oldbin']);
  });

  it('turns what can be survived into a warning once it is allowed, and leaves the rest', () => {
    const facts = factsOf('systemd', { pidText: null, pathInode: '39:1', pathWritable: false });
    const { refusals, warnings } = judgeHost(facts, allowing('pid-file-missing', 'immutable'));
    assert.deepEqual(codes({ refusals, warnings: [] }), ['argv0-not-running-file', 'immutable']);
    assert.deepEqual(codes({ refusals: [], warnings }), ['pid-file-missing']);
  });

  it('accepts that another master runs the same file where that is allowed, but never one of another user', () => {
    const shared = factsOf('systemd', { sharedWith: '7' });
    const { refusals, warnings } = judgeHost(shared, allowing('shared-binary'));
    assert.deepEqual([refusals, codes({ refusals: [], warnings })], [[], ['shared-binary']]);
    const strange = factsOf('not-running', { whyNot: 'master-user', masters: '7 nginx: master process' });
    assert.deepEqual(codes({ ...judgeHost(strange, allowing('master-user')), warnings: [] }), ['master-user']);
  });

  it('accepts a relative argv[0] only where it leads to the running file', () => {
    const rules = allowing('relative-argv0', 'argv0-not-running-file');
    const refused = (changes: Record<string, unknown>) =>
      codes({ refusals: judgeHost(factsOf('systemd', { argv0: 'nginx', ...changes }), rules).refusals, warnings: [] });
    assert.deepEqual(refused({}), []);
    assert.deepEqual(refused({ pathInode: '39:1' }), ['relative-argv0']);
    assert.deepEqual(refused({ path: '', pathInode: '', magic: '' }), ['relative-argv0']);
  });

  it('sorts a finding that was made elsewhere by the same rules', () => {
    const red = finding('health-red-before');
    const offered = { ...red, fix: 'mend it. Or accept it: `allow: health-red-before`.' };
    assert.deepEqual(judgeFinding(red, STRICT), { refusals: [offered], warnings: [] });
    assert.deepEqual(judgeFinding(red, allowing('health-red-before')), { refusals: [], warnings: [red] });
    const denied = finding('forwarding-denied');
    assert.deepEqual(judgeFinding(denied, allowing('forwarding-denied')), { refusals: [denied], warnings: [] });
    const warning = finding('package-owned');
    assert.deepEqual(judgeFinding(warning, STRICT), { refusals: [], warnings: [warning] });
  });

  it('refuses for a code that it does not know, allowed or not', () => {
    const unknown = finding('no-such-code');
    assert.deepEqual(judgeFinding(unknown, allowing('no-such-code')).refusals, [unknown]);
  });

  it('joins judgements in their order', () => {
    const [a, b, c] = ['locked', 'quic', 'capabilities'].map(finding);
    assert.ok(a && b && c);
    const both = joined({ refusals: [a], warnings: [] }, { refusals: [b], warnings: [c] });
    assert.deepEqual(both, { refusals: [a, b], warnings: [c] });
  });
});
