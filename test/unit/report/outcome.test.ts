import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../../src/config.ts';
import type { Reason } from '../../../src/errors.ts';
import { failedHosts, failedRequests, judge, longestGapMs, worstFirst } from '../../../src/report/outcome.ts';
import { OUTCOMES, type Outcome } from '../../../src/report/result.ts';
import { host, report } from './typical-reports.ts';

const reason = (code: Reason) => ({ code, message: 'found something else' });

/** Whether `upgrade` is content with a host that is held. */
function heldIsOk(autoCommit: boolean, why: Reason | null): boolean {
  const held = host({ outcome: 'held', reason: why === null ? null : reason(why) });
  return judge([held], { command: 'upgrade', autoCommit }).ok;
}

describe('judge()', () => {
  it('takes the worst outcome in the order of the contract', () => {
    const order: Outcome[] = ['failed', 'rolled-back', 'refused', 'skipped', 'held', 'upgraded', 'unchanged'];
    for (const [index, worst] of order.entries()) {
      const hosts = order.slice(index).toReversed();
      assert.equal(
        judge(
          hosts.map((outcome) => host({ outcome })),
          { command: 'upgrade', autoCommit: true },
        ).outcome,
        worst,
      );
    }
  });

  it('accepts for each command exactly the outcomes that were asked for', () => {
    const accepted = COMMANDS.map((command) => [
      command,
      OUTCOMES.filter((outcome) => judge([host({ outcome })], { command, autoCommit: true }).ok),
    ]);
    assert.deepEqual(Object.fromEntries(accepted), {
      build: ['built'],
      plan: ['planned'],
      upgrade: ['upgraded', 'unchanged'],
      commit: ['upgraded', 'unchanged'],
      rollback: ['unchanged', 'rolled-back'],
      status: ['reported'],
    });
  });

  it('accepts a held host only where auto-commit is off and nothing went wrong', () => {
    assert.deepEqual([heldIsOk(false, null), heldIsOk(true, null), heldIsOk(false, 'unhealthy')], [true, false, false]);
  });

  it('is not content while one of many hosts is left out', () => {
    assert.deepEqual(judge([host(), host({ outcome: 'skipped' })], { command: 'upgrade', autoCommit: true }), {
      outcome: 'skipped',
      ok: false,
    });
  });

  it('takes a run without hosts for a success only where it builds', () => {
    assert.deepEqual(judge([], { command: 'build', autoCommit: true }), { outcome: 'built', ok: true });
    assert.deepEqual(judge([], { command: 'upgrade', autoCommit: true }), { outcome: 'failed', ok: false });
  });
});

describe('worstFirst()', () => {
  it('keeps the given order among equals', () => {
    const hosts = [host({ target: 'a' }), host({ target: 'b', outcome: 'failed' }), host({ target: 'c' })];
    assert.deepEqual(
      worstFirst(hosts).map(({ target }) => target),
      ['b', 'a', 'c'],
    );
  });
});

describe('failedHosts()', () => {
  it('names those that failed, were refused, unhealthy or unreachable themselves', () => {
    const hosts = [
      host({ target: 'well' }),
      host({ target: 'failed', outcome: 'failed', reason: reason('internal') }),
      host({ target: 'refused', outcome: 'refused', reason: reason('refused') }),
      host({ target: 'sick', outcome: 'rolled-back', reason: reason('unhealthy') }),
      host({ target: 'away', outcome: 'failed', reason: reason('unreachable') }),
      host({ target: 'inspected', outcome: 'held', reason: reason('not-ready') }),
    ];
    assert.deepEqual(failedHosts(report(hosts)), ['failed', 'refused', 'sick', 'away', 'inspected']);
  });

  it('leaves out those that went back with others, were skipped or are held as asked', () => {
    const hosts = [
      host({ outcome: 'rolled-back', reason: null }),
      host({ outcome: 'rolled-back', reason: reason('cancelled') }),
      host({ outcome: 'skipped' }),
      host({ outcome: 'held' }),
    ];
    assert.deepEqual(failedHosts(report(hosts)), []);
  });

  it('takes a host for well that rollback was asked for and that went back', () => {
    const hosts = [host({ outcome: 'rolled-back', reason: reason('unhealthy') })];
    assert.deepEqual(failedHosts(report(hosts, { command: 'rollback' })), []);
  });
});

describe('failedRequests() and longestGapMs()', () => {
  const probe = { sent: 10, failed: 2, longestGapMs: 40, p50Ms: null, p99Ms: null, baselineP99Ms: null };

  it('add up the failures and take the longest gap of the hosts that were probed', () => {
    const hosts = [{ probe }, { probe: { ...probe, failed: 3, longestGapMs: 151.5 } }, { probe: null }];
    assert.deepEqual([failedRequests(hosts), longestGapMs(hosts)], [5, 151.5]);
  });

  it('are null where nobody was probed, which is not the same as 0', () => {
    assert.deepEqual([failedRequests([{ probe: null }]), longestGapMs([])], [null, null]);
  });
});
