import type { Finding } from '../../../../src/report/result.ts';
import { type Judgement, type Rules } from '../../../../src/host/preflight/preflight.ts';

export const STRICT: Rules = { allow: new Set(), allowDowngrade: false };

export function allowing(...accepted: string[]): Rules {
  return { ...STRICT, allow: new Set(accepted) };
}

export function codes({ refusals, warnings }: Judgement): string[] {
  return [...refusals, ...warnings].map(({ code }) => code);
}

/** The one finding; throws where there is another number of them. */
export function only({ refusals, warnings }: Judgement): Finding {
  const [first, ...others] = [...refusals, ...warnings];
  if (first === undefined || others.length > 0) {
    throw new Error(`expected one finding, found ${[first, ...others].map((finding) => finding?.code).join(', ')}`);
  }
  return first;
}
