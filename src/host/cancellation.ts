import { Cancelled } from './errors.ts';

/** A step is left at once when the run is cancelled; what it began on a target, the guard there ends. */
export async function orCancelled<T>(cancel: AbortSignal, step: () => Promise<T>): Promise<T> {
  throwIfCancelled(cancel);
  let stop: (() => void) | undefined;
  const cancelled = new Promise<never>((_, reject) => {
    stop = () => reject(new Cancelled(String(cancel.reason)));
    cancel.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([step(), cancelled]);
  } finally {
    if (stop !== undefined) cancel.removeEventListener('abort', stop);
  }
}

export function throwIfCancelled(cancel: AbortSignal): void {
  if (cancel.aborted) throw new Cancelled(String(cancel.reason));
}
