import type { Outcome } from '../report/result.ts';
import { ClosedMeanwhile } from '../target/agent.ts';
import { type Answer, fieldsOf } from '../target/answer.ts';
import { processOf } from '../target/facts.ts';
import { mustSucceed, NotAsMeant } from './errors.ts';
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
    return succeededOrClosed(await run.agent.ask('commit', { waits }), run);
  });
  const drained = fieldsOf(answer.fields, 'commit').flag('oldGone');
  Object.assign(run.result, { drained, state: drained ? 'idle' : 'draining', reason: null });
  Object.assign(run.result, { version: sides.new.version || null, previousVersion: sides.old.version || null });
  run.result.previousSha256 = sides.old.sha256;
  await phase(run, 'verify', async () => readBack(run, { answer, expected: sides.new.sha256 }));
}

/** Throws ClosedMeanwhile where the target says how somebody else closed it. */
export function succeededOrClosed(answer: Answer, { result }: HostRun): Answer {
  const read = fieldsOf(answer.fields, answer.verb);
  const outcome = read.textOrNull('outcome') ?? 'stuck';
  if (!answer.ok && outcome !== 'stuck') throw new ClosedMeanwhile(outcome, read.textOrNull('why') ?? '');
  return mustSucceed(answer, result);
}

/** Ends the step with the new generation serving and the old master parked under the guard. */
export async function hold(run: HostRun, sides: Sides): Promise<void> {
  const answer = mustSucceed(await run.agent.ask('hold'), run.result);
  const read = fieldsOf(answer.fields, 'hold');
  const deadline = new Date(Date.now() + read.number('deadlineIn') * 100).toISOString();
  run.result.guard = { deadline, kind: read.text('guardKind') };
  if (!read.flag('parked')) run.result.notes.push('Both generations accept connections: it was held before WINCH.');
  Object.assign(run.result, { outcome: 'held', state: 'held', version: sides.new.version, sha256: sides.new.sha256 });
  Object.assign(run.result, { previousVersion: sides.old.version, previousSha256: sides.old.sha256 });
}

/** Back at once; what the target answers afterwards goes into the result. */
export async function rollBack(run: HostRun, { why, sides }: { why: string; sides: Sides }): Promise<void> {
  await phase(run, 'rollback', async () => {
    const waits = run.config.switch.drainTimeout * 2 + 60_000;
    const answer = mustSucceed(await run.agent.ask('rollback', { fields: { why }, waits }), run.result);
    const read = fieldsOf(answer.fields, 'rollback');
    const outcome = read.text('outcome');
    if (outcome === 'rolled-back') readBack(run, { answer, expected: sides.old.sha256 });
    closedAs(run, { outcome, why: read.textOrNull('why') || why, sides });
  });
}

/** The result for an upgrade whose books were closed with `outcome`. */
export function closedAs(run: HostRun, closed: { outcome: string; why: string; sides: Sides }): void {
  const { outcome, why, sides } = closed;
  const side = outcome === 'committed' ? sides.new : sides.old;
  Object.assign(run.result, { version: side.version || null, sha256: side.sha256, state: 'idle' });
  Object.assign(run.result, { previousVersion: sides.old.version || null, previousSha256: sides.old.sha256 });
  run.result.outcome = OUTCOME_OF[outcome] ?? 'failed';
  if (outcome === 'committed') run.result.reason = null;
  // Whatever the run took for the cause: it was this.
  if (outcome === 'rolled-back' && why === 'service-restarted' && run.result.reason !== null) {
    run.result.reason = byOthers('the service was restarted by others: the old version is on disk, and serves again');
  }
  if (outcome === 'outage' || outcome === 'down') {
    run.result.reason = { code: 'outage', message: `nothing served any more (${why}); ${OUTAGE[outcome]}` };
    run.result.state = outcome === 'down' ? 'broken' : 'idle';
  }
  if (outcome === 'changed-by-others') changedByOthers(run, { why, sides });
  // Never taken for one of the others: a rollback of what was not begun has no reason either, and has succeeded.
  if (OUTCOME_OF[outcome] === undefined) {
    run.result.reason ??= {
      code: 'internal',
      message: `the target does not know how the upgrade was closed ("${outcome}")`,
    };
  }
}

function byOthers(message: string) {
  return { code: 'changed-by-others' as const, message };
}

/** Somebody else ended it, or stands in the way. */
function changedByOthers(run: HostRun, { why, sides }: { why: string; sides: Sides }): void {
  run.result.outcome = 'failed';
  if (why === 'old-master-gone') {
    // Nothing to go back to was left; that the new version is well, nobody has proven.
    Object.assign(run.result, { version: sides.new.version || null, sha256: sides.new.sha256 });
    run.result.reason = byOthers(
      'the old master was ended by others, and nothing to go back to was left; the new version serves, and is on disk',
    );
  } else if (why === 'service-stopped') {
    Object.assign(run.result, { state: 'broken', version: null, sha256: null });
    run.result.reason = byOthers('the service was stopped by others: nothing runs, and it was not started again');
  } else if (why === 'service-restarted') {
    Object.assign(run.result, { version: null, sha256: null });
    run.result.reason = byOthers('the service was restarted by others, and another version than the old one runs now');
  } else leftAsItIs(run);
}

/** A file that is not ours is at the binary's path: both generations are left as they are. */
function leftAsItIs({ result }: HostRun): void {
  const [old, next] = [result.oldMaster?.pid, result.newMaster?.pid];
  Object.assign(result, { state: 'broken', version: null, sha256: null });
  result.reason = {
    code: 'changed-by-others',
    message:
      'another file was put at the path of the binary during the upgrade; it was not touched, and both generations were left as they are',
  };
  result.notes.push(
    `To keep the new version: kill -QUIT ${old}. To go back: kill -HUP ${old}, and when its workers accept, kill -QUIT ${next}.`,
  );
}

const OUTCOME_OF: Record<string, Outcome> = {
  'rolled-back': 'rolled-back',
  committed: 'upgraded',
  untouched: 'failed',
};
const OUTAGE = { outage: 'the old version was started anew', down: 'starting the old version failed too' };

/** ngx_exec_new_binary remembers a failure inside the master as a new binary that still runs. */
export function poisonedNote(pid: number): string {
  return (
    `Do not reload nginx now: its master ${pid} serves, but could not start a new one, takes itself for being in an upgrade, ` +
    'and every HUP would only add workers. What hindered it is in the evidence: remove that, then restart nginx once.'
  );
}

/** Reads the target's own words after the last change and compares them with what was meant. */
function readBack(run: HostRun, { answer, expected }: { answer: Answer; expected: string }): void {
  const read = fieldsOf(answer.fields, answer.verb);
  const master = processOf(read.object('master'));
  if (master === null) {
    Object.assign(run.result, { state: 'broken', version: null, sha256: null });
    throw new NotAsMeant('outage', 'after the last change no master was found');
  }
  const running = read.text('runningSha256');
  const doubts = [
    running === expected ? '' : `the running file has the digest ${running}, expected ${expected}`,
    read.flag('diskRuns') ? '' : 'the file on disk is not the one that runs',
    read.text('pidText') === String(master.pid)
      ? ''
      : `the pid file holds "${read.text('pidText')}", expected ${master.pid}`,
    read.number('accepting') > 0 ? '' : 'no worker accepts',
  ].filter((doubt) => doubt !== '');
  run.result.sha256 = running;
  if (read.flag('poisoned')) run.result.notes.push(poisonedNote(master.pid));
  if (expected !== run.result.previousSha256) run.result.newMaster = master;
  if (doubts.length > 0) throw new NotAsMeant('changed-by-others', `reading back: ${doubts.join('; ')}`);
}
