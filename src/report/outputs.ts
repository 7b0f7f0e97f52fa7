import { type Asked, failedHosts, failedRequests, longestGapMs, remainingHosts } from './outcome.ts';
import { OUTCOMES, type HostResult, type RunReport } from './result.ts';
import { shards } from './shards.ts';

/** In the contract's order (section 4). */
export const OUTPUT_NAMES = [
  'outcome',
  'version',
  'previous-version',
  'sha256',
  'binary',
  'configure-args',
  'failed-hosts',
  'remaining-hosts',
  'results',
  'report',
  'report-page',
  'failed-requests',
  'longest-gap-ms',
  'duration-ms',
  'matrix',
] as const;
export type OutputName = (typeof OUTPUT_NAMES)[number];

/** What the run knows besides its hosts. */
export interface OutputExtras {
  asked: Asked;
  /** Path of the file that `writeReport` made. */
  reportPath?: string;
  /** The new binary on the runner: what `build` made, or what was sent to the targets. */
  binary?: { path?: string; sha256?: string; version?: string; configureArgs?: string };
}

/** All outputs of a job share 1 MB, counted as UTF-16. */
const RESULTS_CHARS = 400_000;

const LINE = /^[^\p{Cc}\u2028\u2029]{1,200000}$/u;
const NUMBER = /^\d{1,15}$/;
const VERSION = /^\d{1,5}(?:\.\d{1,5}){1,3}(?:[-+~][\w.+~-]{1,40})?$/;

const GRAMMAR: Record<OutputName, (value: string) => boolean> = {
  outcome: (value) => OUTCOMES.some((outcome) => outcome === value),
  version: (value) => VERSION.test(value),
  'previous-version': (value) => VERSION.test(value),
  sha256: (value) => /^[0-9a-f]{64}$/.test(value),
  binary: (value) => value.startsWith('/') && LINE.test(value),
  'configure-args': (value) => LINE.test(value),
  'failed-hosts': (value) => LINE.test(value),
  'remaining-hosts': (value) => LINE.test(value),
  results: isJson,
  report: (value) => value.startsWith('/') && LINE.test(value),
  'report-page': (value) => value.startsWith('/') && LINE.test(value),
  'failed-requests': (value) => NUMBER.test(value),
  'longest-gap-ms': (value) => NUMBER.test(value),
  'duration-ms': (value) => NUMBER.test(value),
  matrix: isJson,
};

/**
 * Every output of the action. One that does not apply is empty; so is one whose value is not of its grammar (it came
 * from a target), and so are versions and digests on which the targets do not agree: `results` holds each.
 */
export function outputs(report: RunReport, extras: OutputExtras): Record<OutputName, string> {
  const values: Record<OutputName, string> = {
    outcome: report.outcome,
    ...binaryOutputs(report.hosts, extras.binary ?? {}),
    'failed-hosts': failedHosts(report).join(','),
    'remaining-hosts': remainingHosts(report.hosts, extras.asked).join(','),
    results: resultsJson(report.hosts),
    report: extras.reportPath ?? '',
    'report-page': '',
    'failed-requests': number(failedRequests(report.hosts)),
    'longest-gap-ms': number(longestGapMs(report.hosts)),
    'duration-ms': number(report.durationMs),
    matrix: report.command === 'plan' ? JSON.stringify({ include: shards(report.hosts) }) : '',
  };
  for (const name of OUTPUT_NAMES) if (!GRAMMAR[name](values[name])) values[name] = '';
  return values;
}

function binaryOutputs(hosts: readonly HostResult[], binary: NonNullable<OutputExtras['binary']>) {
  return {
    version: agreed(hosts.map((host) => host.version)) ?? binary.version ?? '',
    'previous-version': agreed(hosts.map((host) => host.previousVersion)) ?? '',
    sha256: agreed(hosts.map((host) => host.sha256)) ?? binary.sha256 ?? '',
    binary: binary.path ?? '',
    'configure-args': binary.configureArgs ?? '',
  };
}

/** The one value that all hosts have which have any; undefined where none has one, empty where they differ. */
function agreed(values: readonly (string | null)[]): string | undefined {
  const known = new Set(values.filter((value) => value !== null));
  return known.size > 1 ? '' : [...known][0];
}

/** Too much for an output loses first what only people read; the report file holds all of it. */
function resultsJson(hosts: readonly HostResult[]): string {
  const slimmer: ((host: HostResult) => Partial<HostResult>)[] = [
    (host) => host,
    (host) => ({ ...host, evidence: null }),
    (host) => ({ ...host, evidence: null, notes: [], phases: [], warnings: [] }),
    ({ target, outcome, state, version, reason }) => ({ target, outcome, state, version, reason }),
  ];
  const texts = slimmer.map((slim) => () => JSON.stringify(hosts.map(slim)));
  for (const text of texts) {
    const json = text();
    if (json.length <= RESULTS_CHARS) return json;
  }
  return '';
}

function number(value: number | null): string {
  return value === null ? '' : String(Math.round(value));
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
