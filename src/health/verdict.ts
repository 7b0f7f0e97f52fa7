import type { HealthSettings, Millis } from '../config.ts';
import type { Judgement } from './judge.ts';

export interface BakeRules extends Pick<HealthSettings, 'successes' | 'failureLimit' | 'interval' | 'timeout'> {
  bakeTime: Millis;
  /** It was red before any change and that was allowed: then only an answer that turns from good to bad counts. */
  redBefore?: boolean;
}

/** `at`: when the answer was in, counted from the start of the bake. */
export interface Sample extends Judgement {
  at: Millis;
}

/** `why` is a whole sentence without its full stop. */
export interface Decision {
  state: 'pending' | 'healthy' | 'unhealthy' | 'inconclusive';
  why: string;
}

/**
 * What the samples so far say at `now` (counted from the start of the bake). Samples are in the order in which they
 * were sent, and none is still under way. Always decided in the end: a run of good answers can only be broken by a bad
 * or an inconclusive one, and more than `failureLimit` of either decide.
 */
export function decide(samples: Sample[], { rules, now }: { rules: BakeRules; now: Millis }): Decision {
  return lostLink(samples) ?? withoutGood(samples, { rules, now }) ?? afterGood(samples, { rules, now });
}

/** How long a first good answer is waited for. */
export function firstGoodWithin({ bakeTime, successes, interval, timeout }: BakeRules): Millis {
  return Math.max(bakeTime, successes * (interval + timeout));
}

export interface BaselineVerdict {
  state: 'green' | 'red' | 'inconclusive';
  why: string;
}

/**
 * Whether probes can prove anything here, told by a few answers taken before any change. `red`: none was good, or more
 * than `failureLimit` were bad.
 */
export function judgeBaseline(samples: Judgement[], failureLimit: number): BaselineVerdict {
  const bad = samples.filter(({ verdict }) => verdict === 'bad');
  const unsure = samples.filter(({ verdict }) => verdict === 'inconclusive');
  const noneGood = bad.length + unsure.length === samples.length;
  if (bad.length > failureLimit || (noneGood && bad.length > 0)) {
    return {
      state: 'red',
      why: `Before any change ${bad.length} of ${count(samples.length, 'answer')} bad${lastWords(bad)}`,
    };
  }
  if (unsure.length > failureLimit || noneGood) {
    return { state: 'inconclusive', why: `Before any change the probes say nothing${lastWords(unsure)}` };
  }
  return { state: 'green', why: `${count(samples.length - bad.length, 'good answer')} before any change` };
}

interface Moment {
  rules: BakeRules;
  now: Millis;
}

/** Nothing that comes later can be conclusive. */
function lostLink(samples: Sample[]): Decision | undefined {
  const last = samples.findLast(({ cause }) => cause !== undefined && cause !== 'network');
  return last && { state: 'inconclusive', why: `The probes say nothing: ${last.why}` };
}

function withoutGood(samples: Sample[], { rules, now }: Moment): Decision | undefined {
  const limit = firstGoodWithin(rules);
  const first = samples.find(({ verdict }) => verdict === 'good');
  if (first !== undefined && (first.at <= limit || rules.redBefore === true)) return undefined;
  if (rules.redBefore === true) return stillRed(samples, { rules, now });
  if (first === undefined && now < limit) return { state: 'pending', why: `No good answer yet${lastWords(samples)}` };
  const state = samples.some(({ verdict }) => verdict === 'bad') ? 'unhealthy' : 'inconclusive';
  return {
    state,
    why: `No good answer within ${limit} ms${lastWords(samples.filter(({ verdict }) => verdict !== 'good'))}`,
  };
}

function stillRed(samples: Sample[], { rules, now }: Moment): Decision {
  if (now < rules.bakeTime || samples.length < rules.successes) {
    return { state: 'pending', why: 'Red as it was before the change' };
  }
  if (samples.every(({ verdict }) => verdict === 'inconclusive')) {
    return { state: 'inconclusive', why: `The probes say nothing${lastWords(samples)}` };
  }
  return {
    state: 'healthy',
    why: `As red as before the change, which was allowed and proves nothing${lastWords(samples)}`,
  };
}

function afterGood(samples: Sample[], { rules, now }: Moment): Decision {
  const since = samples.slice(samples.findIndex(({ verdict }) => verdict === 'good'));
  const bad = since.filter(({ verdict }) => verdict === 'bad');
  const unsure = since.filter(({ verdict }) => verdict === 'inconclusive');
  const limit = `${rules.failureLimit} allowed`;
  if (bad.length > rules.failureLimit) {
    return {
      state: 'unhealthy',
      why: `${count(bad.length, 'bad answer')} after a good one, ${limit}${lastWords(bad)}`,
    };
  }
  if (unsure.length > rules.failureLimit) {
    return {
      state: 'inconclusive',
      why: `${count(unsure.length, 'probe')} without a meaning, ${limit}${lastWords(unsure)}`,
    };
  }
  return running(since, { rules, now });
}

function running(samples: Sample[], { rules, now }: Moment): Decision {
  const run = samples.length - 1 - samples.findLastIndex(({ verdict }) => verdict !== 'good');
  const progress = `${run} of ${count(rules.successes, 'good answer')} in a row, ${Math.min(now, rules.bakeTime)} of ${rules.bakeTime} ms`;
  if (run < rules.successes || now < rules.bakeTime) return { state: 'pending', why: progress };
  return { state: 'healthy', why: `${count(run, 'good answer')} in a row, ${rules.bakeTime} ms over` };
}

function lastWords(samples: Judgement[]): string {
  const last = samples.at(-1);
  return last === undefined ? '' : `; the last was ${last.why}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
