import { DecidedElsewhere, type Reason, REASONS, Refused, UpgradeError } from '../errors.ts';
import type { Evidence, Finding, HostResult } from '../report/result.ts';
import { type Answer, fieldsOf } from '../target/answer.ts';

/** The run was cancelled; thrown at the next step, or in the middle of a wait. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** The target did what it was asked, but what it reads back afterwards is not what was meant. Nothing more is undone. */
export class NotAsMeant extends UpgradeError {}

/** The answer, where it is a good one; else an error with the helper's own reason, its evidence kept in the result. */
export function mustSucceed(answer: Answer, result: HostResult): Answer {
  keepEvidence(answer, result);
  if (answer.ok) return answer;
  if (answer.reason === 'decided') throw new DecidedElsewhere(answer.message);
  if (answer.reason === 'locked') throw new Refused([lockedFinding(answer.message)]);
  if (answer.reason === 'broken') throw new Refused([brokenFinding(answer.message)]);
  throw new UpgradeError(reasonOf(answer.reason), answer.message);
}

export function lockedFinding(holder: string): Finding {
  return {
    code: 'locked',
    message: `another run is at work on this instance: ${holder}`,
    fix: 'Wait for it; `status` shows what it does, `rollback` ends it.',
  };
}

/** An upgrade is under way whose books say nothing certain. Whatever may be true there stays as it is. */
export function brokenFinding(message: string): Finding {
  return {
    code: 'state-unreadable',
    message,
    fix: 'Let the version that began it end it (`rollback`), or wait until its guard has. Else see which master serves, put the right binary at its path, and remove that directory.',
  };
}

/** The first evidence is that of the cause; what comes later shows the consequences and only fills what is missing. */
export function keepEvidence({ fields, verb }: Answer, result: HostResult): void {
  if (!Array.isArray(fields['evidenceLog'])) return;
  const read = fieldsOf(fields, verb);
  const evidence = evidenceOf(result);
  if (evidence.errorLog.length === 0) evidence.errorLog = read.lines('evidenceLog');
  if (evidence.processes.length === 0) evidence.processes = read.lines('evidenceProcesses');
}

/** To be added to. */
export function evidenceOf(result: HostResult): Evidence {
  return (result.evidence ??= { errorLog: [], probes: [], processes: [] });
}

function reasonOf(text: string): Reason {
  if (text === 'rebooted') return 'changed-by-others';
  return REASONS.find((reason) => reason === text) ?? 'internal';
}
