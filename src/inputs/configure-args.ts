import { bad, good, type Checked } from './checked.ts';
import { splitLines } from './list.ts';
import { show } from './show.ts';

/** Arguments of `configure` the way a shell splits them, on as many lines as one likes. No shell reads them. */
export function parseConfigureArgs(text: string): Checked<string[]> {
  const words = splitWords(splitLines(text).join('\n'));
  if (typeof words === 'string') return bad(words);
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
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === "'" || character === '"') {
      const end = text.indexOf(character, at + 1);
      if (end < 0) return `a quote is not closed: ${show(text.slice(at))}`;
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\') {
      word = (word ?? '') + (text[at + 1] ?? '');
      at += 1;
    } else word = (word ?? '') + character;
  }
  return word === undefined ? words : [...words, word];
}
