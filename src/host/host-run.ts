import type { Config, Target } from '../config.ts';
import type { Logger } from '../report/logger.ts';
import type { HostResult, Phase } from '../report/result.ts';
import type { Agent } from '../target/agent.ts';
import type { Facts } from '../target/facts.ts';
import type { NewBinary } from '../binary/new-binary.ts';
import type { Supply } from '../obtain/supply.ts';

/** Everything that one target's recipe works with. `result` is filled as the truth becomes known. */
export interface HostRun {
  config: Config;
  target: Target;
  log: Logger;
  result: HostResult;
  agent: Agent;
  /** Where the new binary comes from; undefined where the command needs none. */
  supply: Supply | undefined;
  /** The new binary, once this target's was obtained. */
  binary: NewBinary | undefined;
  /** Aborted when the run is cancelled; its reason says by what. */
  cancel: AbortSignal;
}

/** A host that was looked at and holds a running master. */
export interface Inspected extends HostRun {
  facts: Facts & { master: NonNullable<Facts['master']> };
}

export function emptyResult(target: Target): HostResult {
  const ssh = target.kind === 'ssh' ? target : { host: 'localhost', port: null, user: null };
  return {
    target: target.name,
    host: ssh.host,
    port: ssh.port,
    user: ssh.user,
    outcome: 'failed',
    state: null,
    previousVersion: null,
    version: null,
    previousSha256: null,
    sha256: null,
    oldMaster: null,
    newMaster: null,
    phases: [],
    probe: null,
    drained: null,
    warnings: [],
    refusals: [],
    reason: null,
    evidence: null,
    guard: null,
    notes: [],
  };
}

/** Times `body` as one of the contract's phases, also where it fails, and says so. */
export async function phase<T>(run: Pick<HostRun, 'result' | 'log'>, name: Phase, body: () => Promise<T>): Promise<T> {
  const entry = { name, at: new Date().toISOString(), ms: 0 };
  const start = performance.now();
  run.result.phases.push(entry);
  try {
    return await body();
  } finally {
    entry.ms = Math.round(performance.now() - start);
    run.log.info(`${name}: ${entry.ms} ms`);
  }
}
