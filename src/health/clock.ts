import { performance } from 'node:perf_hooks';
import type { Millis } from '../config.ts';

export interface Clock {
  /** Monotonic. */
  now(): Millis;
  /** Since the epoch; only for people. */
  wall(): Millis;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: Millis, signal: AbortSignal): Promise<void>;
}

export const realClock: Clock = { now: () => performance.now(), wall: () => Date.now(), sleep };

function sleep(ms: Millis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
