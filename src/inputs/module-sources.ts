import { statSync } from 'node:fs';
import type { ModuleSource } from '../config.ts';
import { all, andThen, bad, good, type Checked } from './checked.ts';
import { parseSha256 } from './digest.ts';
import { splitLines } from './list.ts';
import { parseLocalPath, unreadable } from './path.ts';
import { show } from './show.ts';
import { urlMistake } from './url.ts';

const FORM = 'name=/path, or name=https://…#sha256=…';

/** `name=path-or-URL[#sha256=…]`, one a line. Whether a path is there is looked up at once. */
export function parseModuleSources(text: string): Checked<ModuleSource[]> {
  return andThen(all(splitLines(text), parseLine), refuseTwice);
}

function parseLine(line: string): Checked<ModuleSource> {
  const [, name = '', place = '', digest] = /^([^=]*)=(.*?)(?:#sha256=(.*))?$/.exec(line) ?? [];
  if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(name) || place === '') return bad(`expected ${FORM}, found ${show(line)}`);
  const sha256 = digest === undefined ? good(undefined) : parseSha256(digest);
  if (!sha256.ok) return bad(...sha256.problems.map((problem) => `${name}: ${problem}`));
  return /^[a-z]+:\/\//i.test(place)
    ? remote(name, { url: place, sha256: sha256.value })
    : local(name, { path: place, sha256: sha256.value });
}

function remote(name: string, { url, sha256 }: { url: string; sha256: string | undefined }): Checked<ModuleSource> {
  const mistake = urlMistake(url);
  if (mistake !== undefined) return bad(`${name}: ${mistake}`);
  if (!/^https:\/\//i.test(url)) return bad(`${name}: expected an https:// URL or a path, found ${show(url)}`);
  if (sha256 === undefined) return bad(`${name}: a URL needs the digest of what lies there: ${show(url)}#sha256=…`);
  return good({ name, from: url, sha256 });
}

function local(name: string, { path, sha256 }: { path: string; sha256: string | undefined }): Checked<ModuleSource> {
  const from = parseLocalPath(path);
  if (!from.ok) return bad(...from.problems.map((problem) => `${name}: ${problem}`));
  const mistake = placeMistake(from.value, sha256);
  if (mistake !== undefined) return bad(`${name}: ${mistake}`);
  return good({ name, from: from.value, ...(sha256 === undefined ? {} : { sha256 }) });
}

function placeMistake(from: string, sha256: string | undefined): string | undefined {
  try {
    const found = statSync(from);
    if (!found.isFile() && !found.isDirectory()) return `expected a directory or an archive at ${show(from)}`;
    return sha256 !== undefined && found.isDirectory()
      ? `a digest belongs to an archive, ${show(from)} is none`
      : undefined;
  } catch (error) {
    return unreadable(error, show(from));
  }
}

function refuseTwice(sources: ModuleSource[]): Checked<ModuleSource[]> {
  const twice = sources.find(({ name }, index) => sources.findIndex((other) => other.name === name) < index);
  return twice === undefined ? good(sources) : bad(`${show(twice.name)} is given more than once`);
}
