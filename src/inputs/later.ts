import { bad, good, type Checked, type Parser } from './checked.ts';
import { parseBoolean } from './boolean.ts';
import { duration } from './duration.ts';
import { oneOf } from './enum.ts';
import type { Form } from './form.ts';
import type { InputName } from './names.ts';
import { parseShare, wholeNumber } from './number.ts';
import { hasInvisible, show } from './show.ts';
import { parseVersion } from './version.ts';

/** Inputs that are checked for their shape only: nothing uses them yet. */
const SHAPES: [InputName, Parser<unknown>][] = [
  ['transport', oneOf(['library', 'openssh'])],
  ['download-url', parseDownloadUrl],
  ['nginx-version', parseVersion],
  ['source-url', parseSourceUrl],
  ['openssl-version', parseLibraryVersion],
  ['pcre2-version', parseLibraryVersion],
  ['zlib-version', parseLibraryVersion],
  ['rehearse', parseBoolean],
  ['max-parallel', parseShare],
  ['batch-wait', duration({ min: 0 })],
  ['max-failures', wholeNumber({ min: 0, max: 10_000 })],
  ['commit-scope', oneOf(['host', 'fleet'])],
];

export function checkLater(form: Form): void {
  for (const [name, parse] of SHAPES) form.optional(name, parse);
}

function parseDownloadUrl(text: string): Checked<string> {
  const mistake = urlMistake(text);
  if (mistake !== undefined) return bad(mistake);
  return /^https:\/\//i.test(text) ? good(text) : bad(`expected an https:// URL, found ${show(text)}`);
}

function parseSourceUrl(text: string): Checked<string> {
  const mistake = urlMistake(text.replaceAll('{version}', '1.0.0'));
  if (mistake !== undefined) return bad(mistake);
  return /^(?:https?|file):\/\//i.test(text)
    ? good(text)
    : bad(`expected an https:// or file:// URL, found ${show(text)}`);
}

function urlMistake(text: string): string | undefined {
  if (/\s/.test(text) || hasInvisible(text)) return `expected one URL without spaces, found ${show(text)}`;
  if (!URL.canParse(text)) return `expected a valid URL, found ${show(text)}`;
  const { username, password, hash } = new URL(text);
  if (username !== '' || password !== '') return `no credentials in URLs, found ${show(text)}`;
  return hash === '' ? undefined : `"#…" is never sent to a server: leave it out, found ${show(text)}`;
}

function parseLibraryVersion(text: string): Checked<string> {
  const fine = /^[0-9]{1,3}(?:\.[0-9]{1,4}){0,3}[a-z]?$/.test(text);
  return fine ? good(text) : bad(`expected a version such as 3.5.4, found ${show(text)}`);
}
