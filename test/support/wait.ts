import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks `question` every 20 ms until it answers something other than undefined or false.
 * Rejects after `timeout` milliseconds with a sentence that names what was waited for.
 */
export async function waitFor<T>(
  what: string,
  question: () => Promise<T | undefined | false> | T | undefined | false,
  timeout = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline)
      throw new Error(`expected ${what} within ${timeout} ms, found nothing of the kind`);
    await pause(20);
  }
}
