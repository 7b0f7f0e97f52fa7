/** One request of the open loop. Times are milliseconds since the start; `due` is when it should have left. */
export interface Sample {
  due: number;
  end: number;
  /** Version of who answered with 200, or why there was no such answer. */
  version?: string;
  failure?: string;
}

export interface LoadResult {
  /** Requests on fresh connections. */
  sent: number;
  failed: number;
  /** The first 20, with the time at which they were due. */
  failures: string[];
  /** From the due time of the first request that failed or took over 250 ms to the next good answer; 0 if none. */
  longestGapMs: number;
  /** Counted from the due time, so a stall of ours or of the server is in it. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Good answers by the version in `X-Nginx`. */
  byVersion: Record<string, number>;
  /** Requests on connections that had served one before; the first ones are not counted. */
  reused: { sent: number; failed: number; failures: string[] };
}

const STALLED_MS = 250;

/** Samples in the order of their due times. */
export function summarise(samples: Sample[], reused: LoadResult['reused']): LoadResult {
  const bad = samples.filter((sample) => sample.failure !== undefined);
  const latencies = samples.filter((sample) => sample.failure === undefined).map((sample) => sample.end - sample.due);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => round(latencies[Math.ceil(latencies.length * share) - 1] ?? 0);
  return {
    sent: samples.length,
    failed: bad.length,
    failures: bad.slice(0, 20).map((sample) => `at ${Math.round(sample.due)} ms: ${sample.failure}`),
    longestGapMs: longestGap(samples),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    byVersion: countVersions(samples),
    reused,
  };
}

function countVersions(samples: Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { version } of samples) if (version !== undefined) counts[version] = (counts[version] ?? 0) + 1;
  return counts;
}

/** Backwards, so that the earliest good answer to anything sent later is at hand. */
function longestGap(samples: Sample[]): number {
  let nextGood = Math.max(0, ...samples.slice(-1).map((sample) => sample.end));
  let longest = 0;
  for (const sample of samples.toReversed()) {
    const good = sample.failure === undefined;
    if (good) nextGood = Math.min(nextGood, sample.end);
    if (!good || sample.end - sample.due > STALLED_MS) longest = Math.max(longest, nextGood - sample.due);
  }
  return round(longest);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
