import { bad, good, type Checked } from './checked.ts';
import { hasInvisible, show } from './show.ts';

/** The `https://` URL of a file. */
export function parseDownloadUrl(text: string): Checked<string> {
  const mistake = urlMistake(text);
  if (mistake !== undefined) return bad(mistake);
  return /^https:\/\//i.test(text) ? good(text) : bad(`expected an https:// URL, found ${show(text)}`);
}

/** A URL with `{version}` in it, or a directory that holds the releases. */
export function parseSourceUrl(text: string): Checked<string> {
  const filled = text.replaceAll('{version}', '1.0.0');
  const mistake = urlMistake(filled, text);
  if (mistake !== undefined) return bad(mistake);
  if (!/^(?:https|file):\/\//i.test(text)) return bad(`expected an https:// or file:// URL, found ${show(text)}`);
  if (/^file:\/\/[^/]/i.test(text)) return bad(`expected file:///directory/ with three slashes, found ${show(text)}`);
  if (/^\w+:\/*[^/?#]*\{version\}/.test(text))
    return bad(`{version} has no place in the name of a host, found ${show(text)}`);
  if (/[{}]/.test(filled)) return bad(`only {version} stands for something, found ${show(text)}`);
  if (filled !== text || text.endsWith('/')) return good(text);
  return bad(`expected {version} in it, or a directory with a slash at its end, found ${show(text)}`);
}

/** What is wrong with any URL, as a sentence; undefined where nothing is. */
export function urlMistake(text: string, given = text): string | undefined {
  if (/\s/.test(text) || hasInvisible(text)) return `expected one URL without spaces, found ${show(given)}`;
  if (!URL.canParse(text)) return `expected a valid URL, found ${show(given)}`;
  const { username, password, hash } = new URL(text);
  if (username !== '' || password !== '') return `no credentials in URLs, found ${show(given)}`;
  return hash === '' ? undefined : `"#…" is never sent to a server: leave it out, found ${show(given)}`;
}
