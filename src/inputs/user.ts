import { bad, good, type Checked } from './checked.ts';
import { show } from './show.ts';

const LONGEST = 256;

/** A login name: letters, digits and `. _ - + @ \`, not starting with a dash. */
export function parseUser(text: string): Checked<string> {
  if (text.length <= LONGEST && /^[A-Za-z0-9_][A-Za-z0-9_.+@\\-]*\$?$/.test(text)) return good(text);
  return bad(`expected a login name such as deploy, found ${show(text)}`);
}
