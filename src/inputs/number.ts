import { bad, good, type Checked, type Parser } from './checked.ts';
import { show } from './show.ts';

export interface Range {
  min: number;
  max: number;
}

/** Whole numbers in plain decimal digits: no sign, no leading zero (022 is 18 to some), no exponent. */
export function wholeNumber({ min, max }: Range): Parser<number> {
  return (text) => {
    const value = /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return good(value);
    return bad(`expected a whole number from ${min} to ${max}, found ${show(text)}`);
  };
}

export const parsePort = wholeNumber({ min: 1, max: 65_535 });

export type Share = { kind: 'count'; count: number } | { kind: 'percent'; percent: number };

/** A number of hosts or a share of the fleet: `4`, `25%`, `33.3%`. */
export function parseShare(text: string): Checked<Share> {
  const percent = /^([0-9]{1,3}(?:\.[0-9]{1,3})?)%$/.exec(text)?.[1];
  if (percent !== undefined) {
    const value = Number(percent);
    if (value >= 1 && value <= 100) return good({ kind: 'percent', percent: value });
  }
  if (/^[1-9][0-9]{0,5}$/.test(text)) return good({ kind: 'count', count: Number(text) });
  return bad(`expected a number of hosts from 1 or a percentage from 1% to 100%, found ${show(text)}`);
}
