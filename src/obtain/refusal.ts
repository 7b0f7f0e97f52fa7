import type { Finding } from '../report/result.ts';
import { Refused } from '../errors.ts';

/** The new nginx cannot be had, or must not be: said before any host is touched. */
export function refuse(code: string, message: string, fix: string): Refused {
  return new Refused([{ code, message, fix } satisfies Finding]);
}
