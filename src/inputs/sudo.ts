import { bad, good, type Checked } from './checked.ts';
import { show } from './show.ts';

/** A command and its options as words. No shell reads it: quotes and `$` have no place in it. */
export function parseSudo(text: string): Checked<string[]> {
  const words = text.split(/[ \t]+/).filter((word) => word !== '');
  const odd = words.find((word) => !/^[A-Za-z0-9_.,:=@%+/-]+$/.test(word));
  if (odd !== undefined) return bad(`expected plain words such as sudo -n, found ${show(odd)} in ${show(text)}`);
  if (words[0]?.startsWith('-') === true) return bad(`expected a command first, found the option ${show(words[0])}`);
  return good(words);
}
