import type { StatusRange } from '../config.ts';
import { all, bad, good, type Checked } from './checked.ts';
import { splitList } from './list.ts';
import { show } from './show.ts';

/** A list of codes (`204`), ranges (`200-399`) and classes (`2xx`). */
export function parseStatusRanges(text: string): Checked<StatusRange[]> {
  const items = splitList(text);
  return items.length === 0 ? bad('expected at least one status code') : all(items, parseRange);
}

function parseRange(text: string): Checked<StatusRange> {
  const hundred = /^([1-5])xx$/i.exec(text)?.[1];
  if (hundred !== undefined) return good({ from: Number(hundred) * 100, to: Number(hundred) * 100 + 99 });
  const match = /^([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?$/.exec(text);
  if (match === null) return bad(`expected codes from 100 to 599 such as 204, 200-399 or 2xx, found ${show(text)}`);
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from <= to ? good({ from, to }) : bad(`the range ${show(text)} ends before it starts`);
}
