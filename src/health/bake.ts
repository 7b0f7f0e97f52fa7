import type { Millis } from '../config.ts';
import { messageOf } from '../errors.ts';
import { realClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { Judgement } from './judge.ts';
import { decide, firstGoodWithin } from './verdict.ts';
import type { BakeRules, Sample } from './verdict.ts';

export interface BakeOptions {
  /** Sends one fresh probe; never rejects. */
  probe: (signal: AbortSignal) => Promise<Judgement>;
  rules: BakeRules;
  /** Aborted, with the cause as its reason, when there is no point in going on: cancelled, master died, link lost. */
  watch: { signal: AbortSignal };
  clock?: Clock;
}

/** `why`: a sentence without its full stop. `evidence`: the last answers, oldest first, one line each. */
export interface BakeResult {
  state: 'healthy' | 'unhealthy' | 'inconclusive' | 'stopped';
  why: string;
  evidence: string[];
  samples: Sample[];
}

const EVIDENCE_LINES = 10;

/**
 * Probes until the verdict stands. Probes are due on a fixed grid from the start; one that is still under way when the
 * next is due swallows it, so no verdict is reached over the head of an unanswered probe.
 */
export async function bake({ probe, rules, watch, clock = realClock }: BakeOptions): Promise<BakeResult> {
  const start = { now: clock.now(), wall: clock.wall() };
  const elapsed = (): Millis => clock.now() - start.now;
  const samples: Sample[] = [];
  const result = (state: BakeResult['state'], why: string): BakeResult => {
    return { state, why, evidence: probeLines(samples, start.wall), samples };
  };
  let due = 0;
  for (;;) {
    if (watch.signal.aborted) return result('stopped', messageOf(watch.signal.reason));
    const now = elapsed();
    const decision = decide(samples, { rules, now });
    if (decision.state !== 'pending') return result(decision.state, decision.why);
    if (now < due) {
      await clock.sleep(nextLook(rules, { now, due }) - now, watch.signal);
    } else {
      samples.push({ ...(await probe(watch.signal)), at: elapsed() });
      due = (Math.floor(elapsed() / rules.interval) + 1) * rules.interval;
    }
  }
}

/** The last answers as lines for people; `wall`: when the samples' time began, since the epoch. */
export function probeLines(samples: Sample[], wall: Millis): string[] {
  return samples.slice(-EVIDENCE_LINES).map(({ at, verdict, ms, why }) => {
    return `${new Date(wall + at).toISOString()} ${verdict} after ${ms.toFixed(1)} ms: ${why}`;
  });
}

function nextLook(rules: BakeRules, { now, due }: { now: Millis; due: Millis }): Millis {
  const ends = [rules.bakeTime, firstGoodWithin(rules)].filter((end) => end > now);
  return Math.min(due, ...ends);
}
