import { hostSection } from './host-section.ts';
import { code, fit, plain, prose, tableRow } from './markdown.ts';
import { nextSteps, type Step } from './next-steps.ts';
import { worstFirst } from './outcome.ts';
import type { HostResult, RunReport } from './result.ts';
import { change, isAttributed, outcomeWords, runVerdict } from './verdict.ts';

export interface SummaryOptions {
  /** canary-time and bake-time together in milliseconds; 0 is said, as then nobody watched the new version's stability. */
  watchedMs?: number;
  /** Of the full report on the runner. */
  reportPath?: string;
}

/** GitHub drops a summary of more than 1 MiB altogether. */
const TOTAL_BYTES = 1_000_000;
const TABLE_BYTES = 250_000;

const HEAD = ['Target', 'Old → new', 'Outcome', 'Longest gap', 'Failed probes', 'Old workers drained', 'State'];

const NOT_KEPT =
  '_What no binary upgrade can keep: idle keep-alive connections (each may be reset once), TLS session ids and tickets with keys that nginx made itself (one full handshake each; `ssl_session_ticket_key` keeps them), and shared memory zones (limits, upstream state and counters start empty)._';

const UNWATCHED =
  '_Neither `canary-time` nor `bake-time` was set: the new workers were seen accepting once, nobody watched whether they stay well._';

/** The run as GitHub-flavoured markdown, the verdict first. Below 1 MiB however large the fleet is. */
export function summary(report: RunReport, options: SummaryOptions = {}): string {
  const blocks: (() => string)[] = [
    () => `### ${report.ok ? '✅' : '❌'} ${plain(runVerdict(report))}`,
    () => hostTable(report.hosts),
    () => steps(nextSteps(report)),
    () => footnotes(report, options),
    ...worstFirst(report.hosts).map((host) => () => hostSection(host, { titled: report.hosts.length > 1 })),
  ];
  const rest = '_… and # more parts: the full report holds them._';
  return `${fit(blocks, { render: (block) => block(), maxBytes: TOTAL_BYTES, separator: '\n\n', rest })}\n`;
}

function hostTable(hosts: readonly HostResult[]): string {
  if (hosts.length === 0) return '';
  const rest = '\n_… and # more targets: the full report holds them._';
  const rows = fit(hosts, { render: (host) => tableRow(row(host)), maxBytes: TABLE_BYTES, separator: '\n', rest });
  return [tableRow(HEAD), tableRow(HEAD.map(() => '---')), rows].join('\n');
}

function row(host: HostResult): string[] {
  const { probe, drained } = host;
  return [
    code(host.target),
    plain(change(host)),
    outcomeWords(host.outcome),
    probe === null ? '–' : `${Math.round(probe.longestGapMs)} ms`,
    probe === null ? '–' : `${probe.failed} of ${probe.sent}${isAttributed(host) ? '' : ' (not attributed)'}`,
    drained === null ? '–' : drained ? 'yes' : 'not yet',
    host.state ?? 'unknown',
  ];
}

function steps(list: readonly Step[]): string {
  if (list.length === 0) return '';
  return ['**What to do next**', ...list.map(step)].join('\n\n');
}

/** One-line commands cannot end the fence. */
function step({ text, commands }: Step): string {
  return commands.length === 0 ? prose(text) : `${prose(text)}\n\n\`\`\`sh\n${commands.join('\n')}\n\`\`\``;
}

function footnotes(report: RunReport, { watchedMs, reportPath }: SummaryOptions): string {
  const switched = report.hosts.some((host) => host.outcome === 'upgraded' || host.outcome === 'held');
  const notes = [
    switched && report.command === 'upgrade' ? NOT_KEPT : '',
    switched && report.command === 'upgrade' && watchedMs === 0 ? UNWATCHED : '',
    reportPath === undefined ? '' : `Full report on the runner: ${code(reportPath)}`,
  ];
  return notes.filter((note) => note !== '').join('\n\n');
}
