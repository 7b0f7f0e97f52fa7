import type { Millis } from '../config.ts';
import { bad, good, type Parser } from './checked.ts';
import { show } from './show.ts';

const UNITS: Record<string, Millis> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const LONGEST: Millis = 168 * 3_600_000;

/** One number and one unit: `500ms`, `30s`, `1.5m`, `1h`; from `min` to seven days. */
export function duration({ min }: { min: Millis }): Parser<Millis> {
  return (text) => {
    const match = /^([0-9]{1,12}(?:\.[0-9]{1,3})?)(ms|s|m|h)$/.exec(text);
    const unit = UNITS[match?.[2] ?? ''];
    if (unit === undefined) return bad(explain(text));
    const value = Math.round(Number(match?.[1]) * unit);
    if (value < min) return bad(`must be at least ${formatDuration(min)}, found ${show(text)}`);
    if (value > LONGEST) return bad(`must be at most ${formatDuration(LONGEST)}, found ${show(text)}`);
    return good(value);
  };
}

/** The shortest exact form: 90000 is `90s`, 120000 is `2m`. */
export function formatDuration(value: Millis): string {
  const unit = ['h', 'm', 's'].find((name) => value !== 0 && value % (UNITS[name] ?? 1) === 0);
  return unit === undefined ? `${value}ms` : `${value / (UNITS[unit] ?? 1)}${unit}`;
}

function explain(text: string): string {
  const found = `found ${show(text)}`;
  if (/^[0-9]+$/.test(text)) return `a duration needs a unit (500ms, 30s, 10m, 1h), ${found}`;
  if (/^[0-9.]+(?:ms|s|m|h)$/i.test(text)) return `units are written in lower case (500ms, 30s, 10m, 1h), ${found}`;
  if (/^(?:[0-9]+[smh]){2,}$/.test(text)) return `expected one number and one unit (90m, not 1h30m), ${found}`;
  return `expected a number and a unit (500ms, 30s, 10m, 1h), ${found}`;
}
