import { code, details, fit, plain, preformatted, prose } from './markdown.ts';
import type { Evidence, Finding, HostResult, PhaseTiming } from './result.ts';

const SECTION_BYTES = 64_000;
const FINDINGS_BYTES = 16_000;
const NOTES_BYTES = 8_000;
const EVIDENCE_BYTES = 11_000;

/** What the summary says about one host below the table: timeline, findings, notes, evidence. At most 64 kB. */
export function hostSection(host: HostResult, { titled }: { titled: boolean }): string {
  const blocks = [
    timeline(host.phases),
    titled ? reason(host) : '',
    findings('Refused', host.refusals),
    findings('Warnings', host.warnings),
    notes(host),
    host.evidence === null ? '' : evidence(host.evidence),
  ];
  if (blocks.every((block) => block === '')) return '';
  const title = titled ? `#### ${code(host.target)}` : '';
  const rest = '_… and # more parts: the full report holds them._';
  return fit([title, ...blocks], { render: (block) => block, maxBytes: SECTION_BYTES, separator: '\n\n', rest });
}

function timeline(phases: readonly PhaseTiming[]): string {
  const [first] = phases;
  if (first === undefined) return '';
  const steps = phases.map((phase) => `${phase.name} ${Math.round(phase.ms)} ms`);
  return `Timeline from ${plain(first.at)}: ${steps.join(' → ')}`;
}

/** The run's verdict says it where there is one host only. */
function reason(host: HostResult): string {
  return host.reason === null || host.refusals.length > 0
    ? ''
    : `Reason: ${code(host.reason.code)} ${prose(host.reason.message)}`;
}

function findings(title: string, list: readonly Finding[]): string {
  if (list.length === 0) return '';
  const items = fit(list, { render: item, maxBytes: FINDINGS_BYTES, separator: '\n', rest: '- … and # more' });
  return `**${title}**\n\n${items}`;
}

function item(finding: Finding): string {
  return `- ${code(finding.code)} ${prose(finding.message)} **Fix:** ${prose(finding.fix)}`;
}

function notes(host: HostResult): string {
  if (host.notes.length === 0) return '';
  const title = host.outcome === 'planned' ? 'The plan' : 'Notes';
  return `**${title}**\n\n${preformatted(host.notes, NOTES_BYTES)}`;
}

function evidence({ errorLog, probes, processes }: Evidence): string {
  const parts: [string, readonly string[]][] = [
    ['Error log', errorLog],
    ['Probe answers', probes],
    ['Processes', processes],
  ];
  const present = parts.filter(([, lines]) => lines.length > 0);
  if (present.length === 0) return '';
  const body = present.map(([title, lines]) => `${title}:\n\n${preformatted(lines, EVIDENCE_BYTES)}`);
  return details('Evidence, taken before anything was undone', body.join('\n\n'));
}
