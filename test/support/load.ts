import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LoadResult } from './load-result.ts';

export type { LoadResult };

export interface LoadOptions {
  host: string;
  port: number;
  /** Requests a second, each on a fresh connection. */
  rate: number;
  /** `/` where not given. */
  path?: string;
  /** Where to connect instead (a proxy or a forwarded port); the Host header stays. */
  connectVia?: { host: string; port: number };
  /** So many clients besides that keep their connection and send ten requests a second each; none where not given. */
  keepAlive?: number;
}

export interface Load {
  /** Sends no more, waits for the answers under way (5 s at most) and sums up. */
  stop(): Promise<LoadResult>;
}

/**
 * Sends requests at a fixed rate whatever the server does (open loop) and never retries one.
 * Runs on a thread of its own, so that whatever else the test does cannot be mistaken for a stall.
 * Returns after a first answer, which is not counted; rejects where none comes.
 */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: options });
  await once(worker, 'message');
  return {
    async stop() {
      const answer = once(worker, 'message');
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
      worker.postMessage('stop');
      const result: LoadResult = (await answer)[0];
      await worker.terminate();
      return result;
    },
  };
}
