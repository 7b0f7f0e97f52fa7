import type { Reason } from '../errors.ts';

export const OUTCOMES = [
  'upgraded',
  'unchanged',
  'held',
  'rolled-back',
  'refused',
  'failed',
  'skipped',
  'planned',
  'built',
  'reported',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const PHASES = [
  'connect',
  'inspect',
  'obtain',
  'preflight',
  'stage',
  'swap',
  'ready',
  'canary',
  'retire',
  'bake',
  'commit',
  'rollback',
  'verify',
] as const;
export type Phase = (typeof PHASES)[number];

export type TargetState = 'idle' | 'held' | 'upgrading' | 'draining' | 'broken';

/** A process for as long as it lives: pids recur, a pid with its start time (clock ticks since boot) does not. */
export interface ProcessId {
  pid: number;
  startTime: string;
}

/** A preflight finding: `code` is stable (contract, section 6). */
export interface Finding {
  code: string;
  message: string;
  fix: string;
}

export interface PhaseTiming {
  name: Phase;
  /** ISO 8601, runner's clock. */
  at: string;
  ms: number;
}

export interface ProbeNumbers {
  sent: number;
  failed: number;
  longestGapMs: number;
  p50Ms: number | null;
  p99Ms: number | null;
  baselineP99Ms: number | null;
}

/** Taken before anything is undone. */
export interface Evidence {
  errorLog: string[];
  probes: string[];
  processes: string[];
}

/** One target's entry in the output `results` (contract, section 5). Everything about the target is read back from it. */
export interface HostResult {
  target: string;
  host: string;
  port: number | null;
  user: string | null;
  outcome: Outcome;
  state: TargetState | null;
  previousVersion: string | null;
  version: string | null;
  previousSha256: string | null;
  sha256: string | null;
  oldMaster: ProcessId | null;
  newMaster: ProcessId | null;
  phases: PhaseTiming[];
  probe: ProbeNumbers | null;
  drained: boolean | null;
  warnings: Finding[];
  refusals: Finding[];
  reason: { code: Reason; message: string } | null;
  evidence: Evidence | null;
  guard: { deadline: string; kind: string } | null;
  /** Lines for people: the plan of `plan`, the findings of `status`, the commands to finish by hand. */
  notes: string[];
}

/** What one run did. `ok`: every target reached what was asked for. */
export interface RunReport {
  command: string;
  outcome: Outcome;
  ok: boolean;
  startedAt: string;
  durationMs: number;
  /** The instance that the run named, where it named one. */
  pidFile?: string;
  hosts: HostResult[];
}
