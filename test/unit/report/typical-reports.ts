import { judge } from '../../../src/report/outcome.ts';
import type { HostResult, RunReport } from '../../../src/report/result.ts';
import type { Command } from '../../../src/config.ts';

export const OLD_DIGEST = '0a'.repeat(32);
export const NEW_DIGEST = '1b'.repeat(32);

const UPGRADED: HostResult = {
  target: 'web1',
  host: 'web1',
  port: 22,
  user: 'deploy',
  outcome: 'upgraded',
  state: 'idle',
  previousVersion: '1.22.1',
  version: '1.26.3',
  previousSha256: OLD_DIGEST,
  sha256: NEW_DIGEST,
  oldMaster: { pid: 700, startTime: '1200' },
  newMaster: { pid: 900, startTime: '5200' },
  phases: [
    { name: 'connect', at: '2026-11-22T10:00:00.000Z', ms: 60 },
    { name: 'swap', at: '2026-11-22T10:00:00.200Z', ms: 41.6 },
    { name: 'bake', at: '2026-11-22T10:00:00.400Z', ms: 10_000 },
    { name: 'commit', at: '2026-11-22T10:00:10.400Z', ms: 12 },
  ],
  probe: { sent: 214, failed: 0, longestGapMs: 0, p50Ms: 1, p99Ms: 3, baselineP99Ms: 3 },
  drained: true,
  warnings: [],
  refusals: [],
  reason: null,
  evidence: null,
  guard: null,
  notes: [],
};

/** A host that was upgraded well, unless `changes` say otherwise. */
export function host(changes: Partial<HostResult> = {}): HostResult {
  return { ...UPGRADED, ...changes };
}

export function report(hosts: HostResult[], asked: { command?: Command; autoCommit?: boolean } = {}): RunReport {
  const { command = 'upgrade', autoCommit = true } = asked;
  const judged = judge(hosts, { command, autoCommit });
  return { command, ...judged, startedAt: '2026-11-22T10:00:00.000Z', durationMs: 10_500.4, hosts };
}

/** Went bad while baking and back to what it was. */
export function unhealthy(changes: Partial<HostResult> = {}): HostResult {
  return host({
    outcome: 'rolled-back',
    version: '1.22.1',
    sha256: OLD_DIGEST,
    drained: null,
    phases: [
      { name: 'connect', at: '2026-11-22T10:00:00.000Z', ms: 60 },
      { name: 'bake', at: '2026-11-22T10:00:00.400Z', ms: 2000 },
      { name: 'rollback', at: '2026-11-22T10:00:02.400Z', ms: 30 },
    ],
    probe: { sent: 60, failed: 3, longestGapMs: 151, p50Ms: 1, p99Ms: 3, baselineP99Ms: 3 },
    reason: { code: 'unhealthy', message: 'expected status 200-399 from http://127.0.0.1/, found 503 three times.' },
    evidence: {
      errorLog: ['2026/11/22 10:00:01 [error] 901#901: *7 <script>alert(1)</script>'],
      probes: ['503 in 2 ms'],
      processes: [],
    },
    ...changes,
  });
}

export function refused(changes: Partial<HostResult> = {}): HostResult {
  return host({
    outcome: 'refused',
    version: '1.22.1',
    sha256: OLD_DIGEST,
    newMaster: null,
    drained: null,
    probe: null,
    phases: [{ name: 'connect', at: '2026-11-22T10:00:00.000Z', ms: 60 }],
    refusals: [
      { code: 'daemon-off', message: 'The master runs with `daemon off`.', fix: 'Restart it once without it.' },
      { code: 'downgrade', message: '1.22.1 runs, 1.18.0 was given.', fix: 'Set `allow-downgrade: true`.' },
    ],
    reason: { code: 'refused', message: 'preflight found 2 problems' },
    ...changes,
  });
}

export function held(changes: Partial<HostResult> = {}): HostResult {
  return host({
    outcome: 'held',
    state: 'held',
    drained: null,
    guard: { deadline: '2026-11-22T10:15:10.000Z', kind: 'systemd' },
    ...changes,
  });
}

export function lost(changes: Partial<HostResult> = {}): HostResult {
  return host({
    outcome: 'failed',
    state: null,
    version: null,
    sha256: null,
    newMaster: null,
    drained: null,
    probe: null,
    phases: [{ name: 'swap', at: '2026-11-22T10:00:00.000Z', ms: 60 }],
    reason: {
      code: 'connection-lost',
      message: 'expected an answer to begin, found the connection gone for 2 minutes',
    },
    ...changes,
  });
}
