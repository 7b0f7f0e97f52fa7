import { neverEntered, worstFirst } from './outcome.ts';
import { clip, harmless } from './relay.ts';
import type { HostResult, Phase, RunReport } from './result.ts';
import { clause } from './verdict.ts';

/** An error shown on the run's page. */
export interface Annotation {
  title: string;
  message: string;
}

/** One thing that went wrong, on however many hosts. */
interface Cause {
  code: string;
  phase: Phase;
  found: string;
  hosts: HostResult[];
}

/** GitHub shows so many errors a step. */
const MAX_ANNOTATIONS = 10;

/** GitHub cuts at 4,096 characters. */
const MESSAGE_BYTES = 4_000;

const EXPECTED: Record<Phase, string> = {
  connect: 'to reach the target and log in',
  inspect: 'to read the state of the running nginx',
  obtain: 'to get a verified new binary',
  preflight: 'a target that can take the new binary',
  stage: 'the new binary whole and runnable on the target',
  swap: 'the running master to start the new one',
  ready: 'the new workers to accept connections',
  canary: 'both generations to serve well together',
  retire: 'the old workers to stop accepting while the new ones serve',
  bake: 'the new generation to serve well alone',
  commit: 'the old master to leave and the new binary to be installed',
  rollback: 'the old generation to serve again',
  verify: 'the target to be in the state that the run left',
};

/** One annotation for each distinct cause, not for each host, the worst first; at most 10. */
export function annotations(report: RunReport): Annotation[] {
  if (report.ok) return [];
  const all = causes(worstFirst(report.hosts), report.command);
  if (all.length <= MAX_ANNOTATIONS) return all.map(annotation);
  const shown = all.slice(0, MAX_ANNOTATIONS - 1);
  return [...shown.map(annotation), furtherCauses(all.slice(shown.length))];
}

function causes(hosts: readonly HostResult[], command: string): Cause[] {
  const byKey = new Map<string, Cause>();
  for (const cause of hosts.flatMap((host) => causesOf(host, command))) {
    const key = `${cause.phase} ${cause.code}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, cause);
    else known.hosts.push(...cause.hosts);
  }
  return [...byKey.values()];
}

function causesOf(host: HostResult, command: string): Cause[] {
  if (command === 'rollback' && host.outcome === 'rolled-back') return [];
  if (host.refusals.length > 0) return host.refusals.map((refusal) => refusalCause(host, refusal));
  if (host.reason === null) return [];
  return [{ code: host.reason.code, phase: failedPhase(host), found: clause(host.reason.message), hosts: [host] }];
}

function refusalCause(host: HostResult, { code, message, fix }: HostResult['refusals'][number]): Cause {
  return { code, phase: 'preflight', found: `${clause(message)}. Fix: ${clause(fix)}`, hosts: [host] };
}

/** The last one entered before undoing began. */
function failedPhase(host: HostResult): Phase {
  const forward = host.phases.filter(({ name }) => name !== 'rollback' && name !== 'verify');
  return (forward.at(-1) ?? host.phases.at(-1))?.name ?? 'connect';
}

function annotation({ code, phase, found, hosts }: Cause): Annotation {
  const states = [...new Set(hosts.map(leftBehind))].join('; ');
  const lines = [
    `Phase ${phase}: expected ${EXPECTED[phase]}.`,
    `Found: ${clip(found, 1_500)}.`,
    `State left behind: ${clip(states, 1_000)}.`,
    `Targets: ${clip(hosts.map((host) => harmless(host.target)).join(', '), 1_000)}`,
  ];
  return { title: harmless(`nginx-hot-upgrade: ${code} in ${phase}`), message: clip(lines.join('\n'), MESSAGE_BYTES) };
}

function furtherCauses(rest: readonly Cause[]): Annotation {
  const list = rest.map(({ code, phase, hosts }) => `${harmless(code)} in ${phase} (${hosts.length})`).join(', ');
  return {
    title: `nginx-hot-upgrade: ${rest.length} more causes`,
    message: clip(`More causes, with the number of targets: ${list}. The job summary has them all.`, MESSAGE_BYTES),
  };
}

function leftBehind(host: HostResult): string {
  const version = harmless(host.version ?? 'an unknown version');
  if (host.outcome === 'refused' || neverEntered(host)) return 'nothing was touched';
  if (host.state === null) return 'unknown; a guard armed on the target goes back to the old version by itself';
  if (host.state === 'held') return `held, ${version} serves and the old master is parked`;
  return host.state === 'idle' ? `at rest, ${version} serves` : `${host.state}, ${version} answers`;
}
