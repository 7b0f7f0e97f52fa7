import { performance } from 'node:perf_hooks';
import type { Millis } from '../config.ts';
import type { ProbeNumbers } from '../report/result.ts';
import type { Judgement } from './judge.ts';
import { streamNumbers } from './gaps.ts';
import type { Shot, Span } from './gaps.ts';

export interface StreamOptions {
  /** Sends one fresh probe; never rejects, and ends soon after its signal aborts. */
  send: (signal: AbortSignal) => Promise<Judgement>;
  everyMs?: Millis;
  /** A good answer later than this after its due time is a stall. */
  stallMs?: Millis;
  /** It was red before any change and that was allowed: nothing counts until the first good answer. */
  redBefore?: boolean;
}

/** `inconclusive` probes are in `sent` but not in `failed`. `stalled`: late answers, and probes not sent for the jam. */
export interface StreamNumbers extends Omit<ProbeNumbers, 'baselineP99Ms'> {
  inconclusive: number;
  stalled: number;
  /** The first few that failed or stalled, one line each. */
  evidence: string[];
}

export interface ProbeStream {
  /** From the next probe on: one every `everyMs`. */
  slowDown(everyMs: Millis): void;
  /**
   * Sends no more and waits up to `graceMs` (1 s) for answers; what is still out then has failed. Idempotent. `blind`:
   * when our own link was gone.
   */
  stop(options?: { graceMs?: Millis; blind?: readonly Span[] }): Promise<StreamNumbers>;
}

/** Probes under way at once; past it a due probe is not sent but counted as stalled. */
const OUTSTANDING_LIMIT = 40;

/**
 * The measuring stream: open loop, so that probe i is due at its time whatever happened before, and its latency counts
 * from then.
 */
export function startStream({ send, everyMs = 50, stallMs = 250, redBefore = false }: StreamOptions): ProbeStream {
  const shots: Shot[] = [];
  const outstanding = new Set<Promise<void>>();
  const given = new AbortController();
  const start = { now: performance.now(), wall: Date.now() };
  let every = everyMs;
  let due = start.now;
  let stopped: Promise<StreamNumbers> | undefined;
  let timer: NodeJS.Timeout | undefined;
  fireAllDue();

  function fireAllDue(): void {
    for (; due <= performance.now(); due += every) fire(due);
    timer = setTimeout(fireAllDue, Math.max(0, due - performance.now()));
  }

  function fire(at: Millis): void {
    const shot: Shot = { due: at, verdict: 'skipped' };
    shots.push(shot);
    if (outstanding.size >= OUTSTANDING_LIMIT) return;
    shot.verdict = 'outstanding';
    const answer = answered(shot, send(given.signal)).finally(() => outstanding.delete(answer));
    outstanding.add(answer);
  }

  async function finish(graceMs: Millis, blind: readonly Span[]): Promise<StreamNumbers> {
    clearTimeout(timer);
    await within(Promise.all(outstanding), graceMs);
    const end = performance.now();
    const numbers = streamNumbers(shots, { stallMs, end, redBefore, wall: start.wall - start.now, blind });
    given.abort(new Error('the measuring ended'));
    return numbers;
  }

  return {
    slowDown: (next) => {
      due += next - every;
      every = next;
      if (stopped !== undefined) return;
      clearTimeout(timer);
      timer = setTimeout(fireAllDue, Math.max(0, due - performance.now()));
    },
    stop: ({ graceMs = 1000, blind = [] } = {}) => (stopped ??= finish(graceMs, blind)),
  };
}

async function answered(shot: Shot, answer: Promise<Judgement>): Promise<void> {
  const { verdict, why } = await answer.catch((error: unknown) => ({
    verdict: 'inconclusive' as const,
    why: String(error),
  }));
  shot.done = performance.now();
  shot.verdict = verdict;
  shot.why = why;
}

async function within(work: Promise<unknown>, ms: Millis): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
