import { bad, good, type Parser } from './checked.ts';
import { suggestion } from './nearest.ts';
import { show } from './show.ts';

/** One of a few fixed words, exactly as written. */
export function oneOf<T extends string>(words: readonly T[]): Parser<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return good(word);
    return bad(`expected ${words.join(', ')}, found ${show(text)}.${suggestion(text, words)}`);
  };
}
