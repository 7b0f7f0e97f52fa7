import { failedRequests, longestGapMs, worstFirst } from './outcome.ts';
import { harmless } from './relay.ts';
import type { Finding, HostResult, Outcome, RunReport } from './result.ts';

/** The whole run in one plain sentence without a full stop. */
export function runVerdict(report: RunReport): string {
  const [first, ...others] = report.hosts;
  if (first === undefined) return report.ok ? report.outcome : `${report.command} ${report.outcome}`;
  if (others.length === 0) return hostVerdict(first, report.command);
  return join([`${report.hosts.length} targets: ${outcomeCounts(report.hosts)}`, fleetProbes(report.hosts)], '; ');
}

/** What became of one host, in one plain sentence without a full stop. */
export function hostVerdict(host: HostResult, command: string): string {
  return harmless(`${host.target} ${VERDICTS[host.outcome](host, command)}`);
}

/** `1.22.1 → 1.26.3`, with `?` for what is not known. */
export function change(host: HostResult): string {
  const { previousVersion: from, version: to, previousSha256, sha256 } = host;
  if (from === null && to === null) return '?';
  if (from !== to) return `${from ?? '?'} → ${to ?? '?'}`;
  const rebuilt = previousSha256 !== null && sha256 !== null && previousSha256 !== sha256;
  return rebuilt ? `${from} → ${to} (another build)` : `${from}`;
}

/** What was probed is what was upgraded; else a good answer may be somebody else's. */
export function isAttributed({ warnings }: HostResult): boolean {
  return warnings.every(({ code }) => code !== 'not-attributed');
}

/** A reason or finding as part of a longer sentence. */
export function clause(message: string): string {
  return harmless(message).trim().replace(/\.$/, '');
}

export function outcomeWords(outcome: Outcome): string {
  return outcome === 'rolled-back' ? 'rolled back' : outcome;
}

const VERDICTS: Record<Outcome, (host: HostResult, command: string) => string> = {
  upgraded: (host) => colon(`upgraded ${change(host)}`, measures(host)),
  unchanged: (host, command) => `unchanged: ${nothingTo(command)}runs ${running(host)}`,
  held: (host) => join([heldVerdict(host), measures(host)], '; '),
  'rolled-back': (host, command) =>
    command === 'rollback' ? colon(`rolled back ${change(host)}`, measures(host)) : undoneVerdict(host),
  refused: (host) => colon('refused, nothing was touched', codes(host.refusals) || found(host)),
  failed: (host) => `${colon(`failed${because(host)}`, found(host))}; state ${host.state ?? 'unknown'}`,
  skipped: () => 'skipped: never started, because the rollout stopped',
  planned: (host) => join([`can be upgraded: ${change(host)}`, warned(host.warnings.length)], ', '),
  built: (host) => `built ${running(host)}`,
  reported: (host) => `runs ${running(host)}, state ${host.state ?? 'unknown'}`,
};

function undoneVerdict(host: HostResult): string {
  return join([colon(`rolled back to ${running(host)}${because(host)}`, found(host)), measures(host)], '; ');
}

function heldVerdict(host: HostResult): string {
  const why = host.reason === null ? '' : ` for inspection${because(host)}`;
  const generations = `${running(host)} serves, ${host.previousVersion ?? 'the old version'} is parked beside it`;
  return join([colon(`held${why}`, found(host)), generations], host.reason === null ? ': ' : '; ');
}

function measures(host: HostResult): string {
  const { probe, drained } = host;
  const probes =
    probe === null
      ? 'not probed'
      : `${probe.failed} of ${probe.sent} probes failed${isAttributed(host) ? '' : ' (not attributed to this nginx)'}, longest gap ${Math.round(probe.longestGapMs)} ms`;
  const old = { true: 'old workers drained', false: 'old workers still finish their last connections', null: '' };
  return join([probes, old[`${drained}`]], ', ');
}

function fleetProbes(hosts: readonly HostResult[]): string {
  const failed = failedRequests(hosts);
  if (failed === null) return '';
  const sent = hosts.reduce((sum, host) => sum + (host.probe?.sent ?? 0), 0);
  return `${failed} of ${sent} probes failed, longest gap ${Math.round(longestGapMs(hosts) ?? 0)} ms`;
}

function outcomeCounts(hosts: readonly HostResult[]): string {
  const outcomes = worstFirst(hosts).map((host) => host.outcome);
  return [...new Set(outcomes)]
    .map((outcome) => `${outcomes.filter((other) => other === outcome).length} ${outcomeWords(outcome)}`)
    .join(', ');
}

function running(host: HostResult): string {
  return host.version ?? 'an unknown version';
}

function because(host: HostResult): string {
  return host.reason === null ? '' : ` (${host.reason.code})`;
}

function found(host: HostResult): string {
  return host.reason === null ? '' : clause(host.reason.message);
}

function nothingTo(command: string): string {
  if (command === 'rollback') return 'nothing to undo, ';
  return command === 'commit' ? 'nothing to commit, ' : '';
}

function warned(count: number): string {
  return count === 0 ? '' : `${count} ${count === 1 ? 'warning' : 'warnings'}`;
}

function codes(findings: readonly Finding[]): string {
  return findings.map(({ code }) => code).join(', ');
}

function colon(head: string, tail: string): string {
  return join([head, tail], ': ');
}

function join(parts: readonly string[], separator: string): string {
  return parts.filter((part) => part !== '').join(separator);
}
