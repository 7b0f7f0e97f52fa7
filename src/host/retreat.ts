import { setTimeout as delay } from 'node:timers/promises';
import { DecidedElsewhere, type Reason, REASONS, UpgradeError, messageOf } from '../errors.ts';
import { ClosedMeanwhile } from '../target/agent.ts';
import { fieldsOf } from '../target/answer.ts';
import { closedAs, hold, rollBack, type Sides } from './closing.ts';
import { Cancelled, NotAsMeant } from './errors.ts';
import type { HostRun } from './host-run.ts';

/**
 * After a failure: back to the old generation, by whoever can do it. Always leaves a result that says what is true on
 * the target, or that this is unknown.
 */
export async function retreat(run: HostRun, { cause, sides }: { cause: unknown; sides: Sides }): Promise<void> {
  run.result.reason = reasonOf(cause);
  if (cause instanceof NotAsMeant) return;
  try {
    if (cause instanceof Cancelled) await cancelOnTarget(run, sides);
    else if (cause instanceof ClosedMeanwhile) closedBy(run, { cause, sides });
    else if (cause instanceof DecidedElsewhere) await waitUntilClosed(run, sides);
    else if (isLost(cause)) leftToGuard(run);
    else if (run.config.switch.autoRollback || !(await canHold(run, sides))) {
      await rollBack(run, { why: run.result.reason.code, sides });
    }
  } catch (error) {
    await lastResort(run, { error, sides });
  }
}

/** Held for inspection, where a new master is left to look at. */
async function canHold(run: HostRun, sides: Sides): Promise<boolean> {
  try {
    await hold(run, sides);
    return true;
  } catch (error) {
    if (error instanceof UpgradeError && error.reason === 'new-master-died') return false;
    throw error;
  }
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
    closedAs(run, { outcome, why: closed.get(2) ?? 'cancelled', sides });
    if (outcome === 'untouched') run.result.notes.push('Nothing was changed on the target.');
    return;
  }
  run.result.state = 'upgrading';
  run.result.notes.push('The guard on the target is going back to the old version; `status` shows when it is done.');
}

function closedBy(run: HostRun, { cause, sides }: { cause: ClosedMeanwhile; sides: Sides }): void {
  run.result.reason = reasonOf(cause);
  closedAs(run, { outcome: cause.outcome, why: cause.why, sides });
}

/** Exits: the books are closed; the drain time and a minute are over. */
async function waitUntilClosed(run: HostRun, sides: Sides): Promise<void> {
  const until = performance.now() + run.config.switch.drainTimeout + 60_000;
  await run.agent.ask('release');
  for (;;) {
    const { ours } = await run.agent.facts();
    if (ours.upgrade === null) {
      const outcome = ours.last?.get('outcome') ?? '';
      const why = ours.last?.get('why') ?? '';
      closedBy(run, { cause: new ClosedMeanwhile(outcome, why), sides });
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
  const decided = run.result.phases.some(({ name }) => name === 'commit');
  run.result.notes.push(
    decided
      ? 'The commit had been asked for, and whether it was decided is unknown here: the target goes on to the new version, or back to the old one, by itself; run `status` to see.'
      : `What the target does now is unknown here. Without a sign of life its guard goes back to the old version within ${seconds} s; run \`status\` to see.`,
  );
}

async function lastResort(run: HostRun, { error, sides }: { error: unknown; sides: Sides }): Promise<void> {
  if (error instanceof ClosedMeanwhile) return closedBy(run, { cause: error, sides });
  run.result.outcome = 'failed';
  if (error instanceof NotAsMeant) {
    run.result.reason = reasonOf(error);
    return;
  }
  if (isLost(error)) return leftToGuard(run);
  run.result.state = 'broken';
  run.result.notes.push(
    `Going back failed: ${messageOf(error)}. The guard on the target goes on trying; run \`status\`.`,
  );
}

/** The target may still be in the middle of something. */
export function isLeftOpen(cause: unknown): boolean {
  if (cause instanceof Cancelled || cause instanceof ClosedMeanwhile || cause instanceof DecidedElsewhere) return true;
  return isLost(cause);
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
