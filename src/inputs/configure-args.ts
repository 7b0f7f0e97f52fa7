import { bad, good, type Checked } from './checked.ts';
import { show } from './show.ts';

/** Arguments of `configure` the way a shell splits them, on as many lines as one likes. No shell reads them. */
export function parseConfigureArgs(text: string): Checked<string[]> {
  const words = splitWords(text);
  if (typeof words === 'string') return bad(words);
  if (words.length === 0) return bad('expected arguments, found none');
  const odd = words.find((word) => !/^--[A-Za-z][\w.-]*(?:=|$)/.test(word));
  if (odd !== undefined)
    return bad(`expected arguments such as --with-threads, found ${show(odd)}: put a value with blanks in quotes`);
  const hidden = words.find((word) => /[\p{Cc}\p{Cf}]/u.test(word));
  return hidden === undefined ? good(words) : bad(`expected no invisible characters, found ${show(hidden)}`);
}

/** Words, or a sentence where a quote does not end. `$`, backquotes and patterns mean nothing. */
function splitWords(text: string): string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let left = text.replaceAll('\r\n', '\n');
  while (left !== '') {
    const part = PARTS.map((pattern) => pattern.exec(left)).find((found) => found !== null);
    if (part === undefined) return `a quote is not closed, or nothing follows a backslash: ${show(left)}`;
    const [whole, quoted] = part;
    // Only where a word could begin.
    const comment = word === undefined ? /^#[^\n]*/.exec(left)?.[0] : undefined;
    if (/^\s/.test(left)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (comment === undefined && whole !== '\\\n') word = (word ?? '') + unescaped(whole, quoted);
    left = left.slice((comment ?? whole).length);
  }
  return word === undefined ? words : [...words, word];
}

/** What a shell takes in one: blanks, text in quotes, an escaped character, plain text. */
const PARTS = [/^\s+/, /^'([^']*)'/, /^"((?:[^"\\]|\\[^])*)"/, /^\\[^]/, /^[^\s'"\\]+/];

function unescaped(whole: string, quoted: string | undefined): string {
  if (whole.startsWith('\\')) return whole.slice(1);
  if (!whole.startsWith('"')) return quoted ?? whole;
  return (quoted ?? '').replaceAll(/\\(["\\$`\n])/g, (_all, character: string) =>
    character === '\n' ? '' : character,
  );
}
