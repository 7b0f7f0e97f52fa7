import { setTimeout as delay } from 'node:timers/promises';
import { type Reason, REASONS, UpgradeError, messageOf } from '../errors.ts';
import type { Outcome } from '../report/result.ts';
import { ClosedMeanwhile } from '../target/agent.ts';
import { type Answer, fieldsOf } from '../target/answer.ts';
import { processOf } from '../target/facts.ts';
import { Cancelled, DecidedElsewhere, keepEvidence, mustSucceed } from './errors.ts';
import { type HostRun, phase } from './host-run.ts';

/** The versions on both sides of the switch, as the result shall name them. */
export interface Sides {
  old: { version: string; sha256: string };
  new: { version: string; sha256: string };
}

/** QUIT: the point of no return. What the result says of the target is what it answered after its last change. */
export async function commit(run: HostRun, sides: Sides): Promise<void> {
  const answer = await phase(run, 'commit', async () => {
    const waits = run.config.switch.drainTimeout * 2;
    return mustSucceed(await run.agent.ask('commit', { waits }), run.result);
  });
  await phase(run, 'verify', async () => readBack(run, { answer, expected: sides.new.sha256 }));
  const drained = fieldsOf(answer.fields, 'commit').flag('oldGone');
  Object.assign(run.result, { drained, state: drained ? 'idle' : 'draining', reason: null });
  Object.assign(run.result, { version: sides.new.version || null, previousVersion: sides.old.version || null });
  run.result.previousSha256 = sides.old.sha256;
}

/** Ends the step with the new generation serving and the old master parked under the guard. */
export async function hold(run: HostRun, sides: Sides): Promise<void> {
  const answer = mustSucceed(await run.agent.ask('hold'), run.result);
  const read = fieldsOf(answer.fields, 'hold');
  const deadline = new Date(Date.now() + read.number('deadlineIn') * 100).toISOString();
  run.result.guard = { deadline, kind: read.text('guardKind') };
  Object.assign(run.result, { outcome: 'held', state: 'held', version: sides.new.version, sha256: sides.new.sha256 });
  Object.assign(run.result, { previousVersion: sides.old.version, previousSha256: sides.old.sha256 });
}

/**
 * After a failure: back to the old generation, by whoever can do it. Always leaves a result that says what is true on
 * the target, or that this is unknown.
 */
export async function retreat(run: HostRun, { cause, sides }: { cause: unknown; sides: Sides }): Promise<void> {
  run.result.reason = reasonOf(cause);
  try {
    if (cause instanceof Cancelled) await cancelOnTarget(run, sides);
    else if (cause instanceof ClosedMeanwhile) closedBy(run, { cause, sides });
    else if (cause instanceof DecidedElsewhere) await waitUntilClosed(run, sides);
    else if (isLost(cause)) leftToGuard(run);
    else if (!run.config.switch.autoRollback) await hold(run, sides);
    else await rollBack(run, { why: run.result.reason.code, sides });
  } catch (error) {
    await lastResort(run, { error, sides });
  }
}

/** Back at once; what the target answers afterwards goes into the result. */
export async function rollBack(run: HostRun, { why, sides }: { why: string; sides: Sides }): Promise<void> {
  await phase(run, 'rollback', async () => {
    const waits = run.config.switch.drainTimeout * 2 + 60_000;
    const answer = await run.agent.ask('rollback', { fields: { why }, waits });
    keepEvidence(answer, run.result);
    if (answer.fields['outcome'] === 'outage') {
      run.result.reason = { code: 'outage', message: 'no nginx was left; the old version was started anew' };
    }
    mustSucceed(answer, run.result);
    const outcome = fieldsOf(answer.fields, 'rollback').text('outcome');
    if (outcome !== 'rolled-back' && outcome !== 'untouched') return closedAs(run, { outcome, why, sides });
    readBack(run, { answer, expected: sides.old.sha256 });
    closedAs(run, { outcome, why, sides });
  });
}

/** The result for an upgrade whose books were closed with `outcome`. */
export function closedAs(run: HostRun, closed: { outcome: string; why: string; sides: Sides }): void {
  const { outcome, why, sides } = closed;
  const side = outcome === 'committed' ? sides.new : sides.old;
  Object.assign(run.result, { version: side.version || null, sha256: side.sha256, state: 'idle' });
  Object.assign(run.result, { previousVersion: sides.old.version || null, previousSha256: sides.old.sha256 });
  run.result.outcome = OUTCOME_OF[outcome] ?? 'failed';
  if (outcome === 'outage' || outcome === 'down') {
    run.result.reason = { code: 'outage', message: `nothing served any more (${why}); ${OUTAGE[outcome]}` };
    run.result.state = outcome === 'down' ? 'broken' : 'idle';
  }
  if (outcome === 'changed-by-others') run.result.state = 'broken';
}

const OUTCOME_OF: Record<string, Outcome> = {
  'rolled-back': 'rolled-back',
  committed: 'upgraded',
  untouched: 'failed',
};
const OUTAGE = { outage: 'the old version was started anew', down: 'starting the old version failed too' };

/** Reads the target's own words after the last change and compares them with what was meant. */
function readBack(run: HostRun, { answer, expected }: { answer: Answer; expected: string }): void {
  const read = fieldsOf(answer.fields, answer.verb);
  const master = processOf(read.object('master'));
  if (master === null) throw new UpgradeError('outage', 'after the last change no master was found');
  const running = read.text('runningSha256');
  const doubts = [
    running === expected ? '' : `the running file has the digest ${running}, expected ${expected}`,
    read.flag('diskRuns') ? '' : 'the file on disk is not the one that runs',
    read.text('pidText') === String(master.pid)
      ? ''
      : `the pid file holds "${read.text('pidText')}", expected ${master.pid}`,
    read.number('accepting') > 0 ? '' : 'no worker accepts',
  ].filter((doubt) => doubt !== '');
  if (doubts.length > 0) throw new UpgradeError('changed-by-others', `reading back: ${doubts.join('; ')}`);
  run.result.sha256 = running;
  if (expected !== run.result.previousSha256) run.result.newMaster = master;
}

/** One command on a channel of its own: the guard acts now. Its answer comes within five seconds. */
async function cancelOnTarget(run: HostRun, sides: Sides): Promise<void> {
  const fields = { nonce: run.agent.nonce() };
  const answer = await run.agent.askBeside('cancel', fields, 5_500);
  const closed = new Map(
    /nonce=(\S*) outcome=(\S*) why=(\S*)/.exec(fieldsOf(answer.fields, 'cancel').text('closed'))?.slice(1).entries(),
  );
  const outcome = closed.get(1);
  if (outcome !== undefined && closed.get(0) === run.agent.nonce()) {
    closedAs(run, { outcome, why: 'cancelled', sides });
    return;
  }
  run.result.state = 'upgrading';
  run.result.notes.push('The guard on the target is going back to the old version; `status` shows when it is done.');
}

function closedBy(run: HostRun, { cause, sides }: { cause: ClosedMeanwhile; sides: Sides }): void {
  closedAs(run, { outcome: cause.outcome, why: cause.why, sides });
  run.result.reason = reasonOf(cause);
}

/** Exits: the books are closed; the drain time and a minute are over. */
async function waitUntilClosed(run: HostRun, sides: Sides): Promise<void> {
  const until = performance.now() + run.config.switch.drainTimeout + 60_000;
  for (;;) {
    const { ours } = await run.agent.facts();
    if (ours.upgrade === null) {
      const outcome = ours.last?.get('outcome') ?? '';
      const why = ours.last?.get('why') ?? '';
      closedAs(run, { outcome, why, sides });
      run.result.reason = reasonOf(new ClosedMeanwhile(outcome, why));
      return;
    }
    if (performance.now() > until)
      throw new UpgradeError('internal', 'the rollback that was decided on the target does not end');
    await delay(200);
  }
}

function leftToGuard(run: HostRun): void {
  run.result.state = null;
  const seconds = Math.round(run.config.switch.confirmTimeout / 1000);
  run.result.notes.push(
    `What the target does now is unknown here. Without a sign of life its guard goes back to the old version within ${seconds} s; run \`status\` to see.`,
  );
}

async function lastResort(run: HostRun, { error, sides }: { error: unknown; sides: Sides }): Promise<void> {
  if (error instanceof ClosedMeanwhile) return closedBy(run, { cause: error, sides });
  run.result.outcome = 'failed';
  if (isLost(error)) return leftToGuard(run);
  run.result.state = 'broken';
  run.result.notes.push(
    `Going back failed: ${messageOf(error)}. The guard on the target goes on trying; run \`status\`.`,
  );
}

function isLost(error: unknown): boolean {
  return error instanceof UpgradeError && error.reason === 'connection-lost';
}

export function reasonOf(error: unknown): { code: Reason; message: string } {
  if (error instanceof UpgradeError) return { code: error.reason, message: error.message };
  if (error instanceof Cancelled) return { code: 'cancelled', message: `the run was cancelled (${error.message})` };
  if (error instanceof ClosedMeanwhile) {
    const code = REASONS.find((known) => known === error.why) ?? 'changed-by-others';
    return { code, message: error.message };
  }
  if (error instanceof DecidedElsewhere) return { code: 'guard-expired', message: error.message };
  return { code: 'internal', message: messageOf(error) };
}
