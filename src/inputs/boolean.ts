import { bad, good, type Checked } from './checked.ts';
import { show } from './show.ts';

const WORDS: Record<string, boolean> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false };

/** The words of YAML 1.2: a non-empty "no" must never count as true. */
export function parseBoolean(text: string): Checked<boolean> {
  const value = Object.hasOwn(WORDS, text) ? WORDS[text] : undefined;
  return value === undefined ? bad(`expected true or false, found ${show(text)}`) : good(value);
}
