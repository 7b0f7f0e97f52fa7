import type { Command } from '../config.ts';
import type { HostResult, Outcome, RunReport } from './result.ts';

/** From worst to best (contract, section 4); the last three belong to commands of their own. */
const WORST_FIRST: readonly Outcome[] = [
  'failed',
  'rolled-back',
  'refused',
  'skipped',
  'held',
  'upgraded',
  'unchanged',
  'planned',
  'built',
  'reported',
];

const WANTED: Record<Command, readonly Outcome[]> = {
  build: ['built'],
  plan: ['planned'],
  upgrade: ['upgraded', 'unchanged'],
  commit: ['upgraded', 'unchanged'],
  rollback: ['rolled-back', 'unchanged'],
  status: ['reported'],
};

/** What was asked for. `autoCommit: false` makes a held host one that reached it. */
export interface Asked {
  command: Command;
  autoCommit: boolean;
}

export type Judged = Pick<HostResult, 'outcome' | 'reason' | 'state'>;

/** The run's outcome over all hosts, and whether every one of them reached what was asked for. */
export function judge(hosts: readonly Judged[], asked: Asked): Pick<RunReport, 'outcome' | 'ok'> {
  if (hosts.length === 0) return withoutHosts(asked.command);
  return { outcome: worstOutcome(hosts), ok: hosts.every((host) => reached(host, asked)) };
}

/** The worst outcome first; `failed` for no host at all. */
export function worstOutcome(hosts: readonly Pick<HostResult, 'outcome'>[]): Outcome {
  return WORST_FIRST.find((outcome) => hosts.some((host) => host.outcome === outcome)) ?? 'failed';
}

/** Sorts the worst to the front, and keeps the given order among equals. */
export function worstFirst<T extends Pick<HostResult, 'outcome'>>(hosts: readonly T[]): T[] {
  return [...hosts].sort((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome));
}

/** Held with a reason is a failed upgrade kept for inspection, never what was asked for. */
export function reached(host: Judged, asked: Asked): boolean {
  // Looked at, and what was found is not well (contract, section 1).
  if (asked.command === 'status' && host.state === 'broken') return false;
  const held = asked.command === 'upgrade' && !asked.autoCommit && host.outcome === 'held' && host.reason === null;
  return held || WANTED[asked.command].includes(host.outcome);
}

/**
 * The targets, as written, that failed, were refused or unreachable themselves. A host that was well and went back
 * with the others, or because the run was cancelled, is none.
 */
export function failedHosts(report: Pick<RunReport, 'command' | 'hosts'>): string[] {
  return report.hosts.filter((host) => failedItself(host, report.command)).map((host) => host.target);
}

/** The targets, as written, that did not reach what was asked for: those of the next run. */
export function remainingHosts(hosts: readonly HostResult[], asked: Asked): string[] {
  return hosts.filter((host) => !reached(host, asked)).map((host) => host.target);
}

function failedItself({ outcome, reason }: HostResult, command: string): boolean {
  if (outcome === 'failed' || outcome === 'refused') return true;
  if (outcome === 'held') return reason !== null;
  return outcome === 'rolled-back' && command !== 'rollback' && reason !== null && reason.code !== 'cancelled';
}

/** The run never got onto the target, so it changed nothing there. */
export function neverEntered({ reason }: Pick<HostResult, 'reason'>): boolean {
  return reason !== null && ['unreachable', 'host-key', 'auth'].includes(reason.code);
}

/** Failed fresh probe connections over all hosts; null where no host was probed. */
export function failedRequests(hosts: readonly Pick<HostResult, 'probe'>[]): number | null {
  const failed = probed(hosts).map((probe) => probe.failed);
  return failed.length === 0 ? null : failed.reduce((sum, count) => sum + count, 0);
}

/** The longest of all hosts' gaps in milliseconds; null where no host was probed. */
export function longestGapMs(hosts: readonly Pick<HostResult, 'probe'>[]): number | null {
  const gaps = probed(hosts).map((probe) => probe.longestGapMs);
  return gaps.length === 0 ? null : Math.max(...gaps);
}

function probed(hosts: readonly Pick<HostResult, 'probe'>[]) {
  return hosts.flatMap((host) => host.probe ?? []);
}

/** Only `build` works without targets; anything else that ends without a host did not get that far. */
function withoutHosts(command: Command): Pick<RunReport, 'outcome' | 'ok'> {
  return command === 'build' ? { outcome: 'built', ok: true } : { outcome: 'failed', ok: false };
}
