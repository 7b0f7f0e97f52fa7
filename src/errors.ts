import type { Finding } from './report/result.ts';

/** Reasons for which a target was not brought to what was asked for (contract, section 5). */
export const REASONS = [
  'refused',
  'unhealthy',
  'inconclusive',
  'not-ready',
  'new-master-died',
  'workers-crashing',
  'error-log',
  'cancelled',
  'guard-expired',
  'connection-lost',
  'unreachable',
  'host-key',
  'auth',
  'upload-failed',
  'changed-by-others',
  'outage',
  'internal',
] as const;
export type Reason = (typeof REASONS)[number];

/**
 * One step on one target that did not work.
 * `message` says what was expected and what was found; `state` the state left behind, where it is known already.
 */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError';
  readonly reason: Reason;
  readonly state: string | undefined;

  constructor(reason: Reason, message: string, options: { state?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.reason = reason;
    this.state = options.state;
  }
}

/** Said no before anything was touched, or with what was staged removed again. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly findings: Finding[];

  constructor(findings: Finding[]) {
    super(findings.map(({ code, message }) => `${code}: ${message}`).join('; '));
    this.findings = findings;
  }
}

/** Another actor (the guard, another run) decided about this upgrade, and is carrying it out. */
export class DecidedElsewhere extends Error {
  override readonly name = 'DecidedElsewhere';
}

/** All mistakes in the inputs, found before anything is touched. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly problems: InputProblem[];

  constructor(problems: InputProblem[]) {
    super(problems.map((problem) => `${problem.input}: ${problem.message}`).join('\n'));
    this.problems = problems;
  }
}

/** One mistake (or, as a warning, one oddity) in one input. Never holds a secret. */
export interface InputProblem {
  input: string;
  message: string;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
