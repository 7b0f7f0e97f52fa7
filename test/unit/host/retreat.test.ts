import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecidedElsewhere, UpgradeError } from '../../../src/errors.ts';
import { Cancelled, NotAsMeant } from '../../../src/host/errors.ts';
import { reasonOf, retreat } from '../../../src/host/retreat.ts';
import { ClosedMeanwhile } from '../../../src/target/agent.ts';
import { factsOf } from './recorded.ts';
import { configOf, NEW, NONCE, OLD, scriptedAgent, scriptedRun, type Script, SIDES } from './scripted-run.ts';

const unhealthy = new UpgradeError('unhealthy', 'the probes turned red');
const lost = new UpgradeError('connection-lost', 'read ECONNRESET');
const undone = {
  outcome: 'rolled-back',
  master: { pid: 700, startTime: '1' },
  runningSha256: OLD.sha256,
  diskRuns: true,
  poisoned: false,
  pidText: '700',
  accepting: 2,
};
const held = { deadlineIn: 9_000, guardKind: 'systemd', parked: true };

async function retreated(cause: unknown, script: Script = {}, autoRollback = true) {
  const scripted = scriptedAgent(script);
  const run = scriptedRun(scripted.agent, { config: configOf({ switch: { autoRollback } }) });
  await retreat(run, { cause, sides: SIDES });
  return { result: run.result, verbs: scripted.verbs(), asked: scripted.asked, notes: run.result.notes.join('\n') };
}

describe('reasonOf', () => {
  it("keeps an UpgradeError's own reason", () => {
    assert.deepEqual(reasonOf(unhealthy), { code: 'unhealthy', message: 'the probes turned red' });
  });

  it('names what cancelled the run', () => {
    assert.deepEqual(reasonOf(new Cancelled('SIGTERM')), {
      code: 'cancelled',
      message: 'the run was cancelled (SIGTERM)',
    });
  });

  it('takes why an upgrade was closed for the reason where it is one, else others changed it', () => {
    assert.equal(reasonOf(new ClosedMeanwhile('rolled-back', 'guard-expired')).code, 'guard-expired');
    assert.equal(reasonOf(new ClosedMeanwhile('rolled-back', 'new-master-died')).code, 'new-master-died');
    assert.equal(reasonOf(new ClosedMeanwhile('rolled-back', 'reboot')).code, 'changed-by-others');
  });

  it('takes anything else for an internal error', () => {
    assert.equal(reasonOf(new DecidedElsewhere('rollback')).code, 'guard-expired');
    assert.deepEqual(reasonOf(new TypeError('facts: …')), { code: 'internal', message: 'facts: …' });
    assert.deepEqual(reasonOf('text'), { code: 'internal', message: 'text' });
  });
});

describe('retreat', () => {
  it('goes back and keeps the cause', async () => {
    const { result, asked } = await retreated(unhealthy, { answers: { rollback: [undone] } });
    assert.deepEqual(asked, [['rollback', { why: 'unhealthy' }]]);
    assert.deepEqual([result.outcome, result.version, result.reason?.code], ['rolled-back', OLD.version, 'unhealthy']);
  });

  it('holds a failed upgrade for inspection where rolling back was switched off', async () => {
    const { result, verbs } = await retreated(unhealthy, { answers: { hold: [held] } }, false);
    assert.deepEqual(verbs, ['hold']);
    assert.deepEqual([result.outcome, result.reason?.code, result.version], ['held', 'unhealthy', NEW.version]);
  });

  it('goes back all the same where no new master is left to inspect', async () => {
    const answers = { hold: [['new-master-died'] as [string]], rollback: [undone] };
    const { result, verbs } = await retreated(unhealthy, { answers }, false);
    assert.deepEqual([verbs, result.outcome], [['hold', 'rollback'], 'rolled-back']);
  });

  it('leaves a target that cannot be reached to its guard, and says when', async () => {
    const { result, verbs, notes } = await retreated(lost);
    assert.deepEqual([verbs, result.outcome, result.state], [[], 'failed', null]);
    assert.match(notes, /unknown here.*within 120 s; run `status`/);
  });

  it('leaves it to the guard, too, where the connection is lost on the way back', async () => {
    const { result } = await retreated(unhealthy, { answers: { rollback: [lost] } });
    assert.deepEqual([result.outcome, result.state, result.reason?.code], ['failed', null, 'unhealthy']);
  });

  it('is broken where going back failed, and says how', async () => {
    const { result, notes } = await retreated(unhealthy, { answers: { rollback: [['internal']] } });
    assert.deepEqual([result.outcome, result.state, result.reason?.code], ['failed', 'broken', 'unhealthy']);
    assert.match(notes, /Going back failed: rollback said internal\. The guard/);
  });

  it('takes it as it is where the upgrade was closed meanwhile', async () => {
    const { result, verbs } = await retreated(new ClosedMeanwhile('rolled-back', 'guard-expired'));
    assert.deepEqual([verbs, result.outcome, result.reason?.code], [[], 'rolled-back', 'guard-expired']);
  });

  it('takes it as it is, too, where that is found on the way back', async () => {
    const closed = new ClosedMeanwhile('rolled-back', 'guard-expired');
    const { result, verbs } = await retreated(unhealthy, { answers: { rollback: [closed] } });
    assert.deepEqual([verbs, result.outcome, result.reason?.code], [['rollback'], 'rolled-back', 'guard-expired']);
  });

  it('does nothing more where the target itself went back, as the new master died before QUIT', async () => {
    const { result, verbs } = await retreated(new ClosedMeanwhile('rolled-back', 'new-master-died'));
    assert.deepEqual([verbs, result.outcome, result.reason?.code], [[], 'rolled-back', 'new-master-died']);
    assert.deepEqual([result.version, result.state], [OLD.version, 'idle']);
  });

  it('is an outage, and no rollback, where the target had to start the old version anew', async () => {
    const { result, verbs } = await retreated(new ClosedMeanwhile('outage', 'new-master-died'));
    assert.deepEqual([verbs, result.outcome, result.reason?.code], [[], 'failed', 'outage']);
    assert.match(result.reason?.message ?? '', /\(new-master-died\)/);
  });

  it('undoes nothing more where the last change was made and reads back wrong', async () => {
    const doubt = new NotAsMeant('changed-by-others', 'reading back: no worker accepts');
    const { result, verbs, notes } = await retreated(doubt);
    assert.deepEqual([verbs, notes, result.outcome], [[], '', 'failed']);
    assert.deepEqual(result.reason, { code: 'changed-by-others', message: 'reading back: no worker accepts' });
  });

  it('names the doubt where a rollback reads back wrong, and promises no guard', async () => {
    const answers = { rollback: [{ ...undone, accepting: 0 }] };
    const { result, notes } = await retreated(unhealthy, { answers });
    assert.deepEqual([result.outcome, result.reason?.code, notes], ['failed', 'changed-by-others', '']);
    assert.match(result.reason?.message ?? '', /no worker accepts/);
  });

  it('waits for the end of what another actor decided', async () => {
    const last = { last: ['nonce=x', 'outcome=rolled-back', 'why=guard-expired'] };
    const facts = [factsOf('held'), factsOf('systemd', last)];
    const { result, verbs } = await retreated(new DecidedElsewhere('rollback'), { facts });
    assert.deepEqual(verbs, ['release'], 'that other need not wait for this run');
    assert.deepEqual([result.outcome, result.reason?.code], ['rolled-back', 'guard-expired']);
  });

  it('asks the guard to act when the run is cancelled, and reports its answer', async () => {
    const answer = { closed: `nonce=${NONCE} outcome=rolled-back why=cancelled` };
    const { result, asked } = await retreated(new Cancelled('SIGINT'), { answers: { 'beside cancel': [answer] } });
    assert.deepEqual(asked, [['beside cancel', { nonce: NONCE }]]);
    assert.deepEqual([result.outcome, result.reason?.code, result.state], ['rolled-back', 'cancelled', 'idle']);
  });

  for (const closed of ['', 'nonce=other outcome=committed why=run']) {
    it(`leaves the rest to the guard where it answers "${closed}"`, async () => {
      const { result, notes } = await retreated(new Cancelled('SIGINT'), {
        answers: { 'beside cancel': [{ closed }] },
      });
      assert.deepEqual([result.outcome, result.state, result.reason?.code], ['failed', 'upgrading', 'cancelled']);
      assert.match(notes, /guard on the target is going back/);
    });
  }
});
