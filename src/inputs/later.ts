import { bad, good, type Checked, type Parser } from './checked.ts';
import { duration } from './duration.ts';
import { oneOf } from './enum.ts';
import type { Form } from './form.ts';
import type { InputName } from './names.ts';
import { parseShare, wholeNumber } from './number.ts';
import { show } from './show.ts';

/** Inputs that are checked for their shape only: nothing uses them yet. */
const SHAPES: [InputName, Parser<unknown>][] = [
  ['transport', oneOf(['library', 'openssh'])],
  ['openssl-version', parseLibraryVersion],
  ['pcre2-version', parseLibraryVersion],
  ['zlib-version', parseLibraryVersion],
  ['max-parallel', parseShare],
  ['batch-wait', duration({ min: 0 })],
  ['max-failures', (text) => (text.endsWith('%') ? parseShare(text) : wholeNumber({ min: 0, max: 10_000 })(text))],
  ['commit-scope', oneOf(['host', 'fleet'])],
];

export function checkLater(form: Form): void {
  for (const [name, parse] of SHAPES) form.optional(name, parse);
}

function parseLibraryVersion(text: string): Checked<string> {
  const fine = /^[0-9]{1,3}(?:\.[0-9]{1,4}){0,3}[a-z]?$/.test(text);
  return fine ? good(text) : bad(`expected a version such as 3.5.4, found ${show(text)}`);
}
