import type { Millis } from '../config.ts';
import type { StreamNumbers } from './stream.ts';

/** One probe of the stream; times are monotonic. `skipped`: due, but not sent because too many were unanswered. */
export interface Shot {
  due: Millis;
  done?: Millis;
  verdict: 'good' | 'bad' | 'inconclusive' | 'outstanding' | 'skipped';
  why?: string;
}

export interface Measuring {
  stallMs: Millis;
  /** When the measuring ended; what is outstanding then has failed. */
  end: Millis;
  /** Nothing counts until the first good answer. */
  redBefore: boolean;
  /** Added to a monotonic time gives the time since the epoch. */
  wall: Millis;
  /** While our own link was gone or silent: probes that were due then say nothing about the service. */
  blind?: readonly Span[];
}

/** Monotonic times. */
export interface Span {
  from: Millis;
  to: Millis;
}

const EVIDENCE_LINES = 10;

/** What the shots (in the order of their due times) add up to. Latencies are those of good answers, from the due time. */
export function streamNumbers(all: Shot[], measuring: Measuring): StreamNumbers {
  const seen = all.map((shot) => (isBlind(shot, measuring) ? { ...shot, verdict: 'inconclusive' as const } : shot));
  const shots = measuring.redBefore ? fromFirstGood(seen) : seen;
  const late = shots.filter((shot) => isLate(shot, measuring));
  const latencies = shots.flatMap(({ verdict, due, done }) =>
    verdict === 'good' && done !== undefined ? [done - due] : [],
  );
  latencies.sort((a, b) => a - b);
  return {
    sent: all.filter(({ verdict }) => verdict !== 'skipped').length,
    failed: shots.filter(hasFailed).length,
    longestGapMs: Math.round(longestGap(shots, measuring)),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    inconclusive: shots.filter(({ verdict }) => verdict === 'inconclusive').length,
    stalled: late.length,
    evidence: evidence(shots, measuring),
  };
}

/** Nearest rank, to a tenth; null without values. `sorted`: ascending. */
export function quantile(sorted: number[], q: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}

/** From the due time of the first shot that failed or stalled to the next good answer; the longest of these, or 0. */
function longestGap(shots: Shot[], measuring: Measuring): Millis {
  let longest = 0;
  let over = -Infinity;
  for (const [index, shot] of shots.entries()) {
    if (shot.due < over || !(hasFailed(shot) || isLate(shot, measuring))) continue;
    over = nextGood(shots.slice(index), measuring.end);
    longest = Math.max(longest, over - shot.due);
  }
  return longest;
}

function nextGood(shots: Shot[], end: Millis): Millis {
  let earliest = end;
  for (const { verdict, due, done } of shots) {
    if (due >= earliest) break;
    if (verdict === 'good' && done !== undefined) earliest = Math.min(earliest, done);
  }
  return earliest;
}

function isBlind(shot: Shot, measuring: Measuring): boolean {
  if (!hasFailed(shot) && !isLate(shot, measuring)) return false;
  return (measuring.blind ?? []).some(({ from, to }) => shot.due <= to && (shot.done ?? measuring.end) >= from);
}

function hasFailed({ verdict }: Shot): boolean {
  return verdict === 'bad' || verdict === 'outstanding';
}

function isLate({ verdict, due, done }: Shot, { stallMs }: Measuring): boolean {
  return verdict === 'skipped' || (verdict === 'good' && done !== undefined && done - due > stallMs);
}

function fromFirstGood(shots: Shot[]): Shot[] {
  const first = shots.findIndex(({ verdict }) => verdict === 'good');
  return first === -1 ? [] : shots.slice(first);
}

function evidence(shots: Shot[], measuring: Measuring): string[] {
  const notable = shots.filter((shot) => hasFailed(shot) || isLate(shot, measuring) || shot.verdict === 'inconclusive');
  return notable.slice(0, EVIDENCE_LINES).map((shot) => {
    const took = (shot.done ?? measuring.end) - shot.due;
    const what =
      shot.verdict === 'skipped' ? 'not sent, too many unanswered' : `${shot.verdict} after ${took.toFixed(1)} ms`;
    return `${new Date(measuring.wall + shot.due).toISOString()} ${what}${shot.why === undefined ? '' : `: ${shot.why}`}`;
  });
}
