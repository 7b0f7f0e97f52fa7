import { posix } from 'node:path';
import { bad, good, type Checked } from './checked.ts';
import { hasInvisible, show } from './show.ts';

const LONGEST = 4096;

/** The absolute path of a file on a target. Taken literally: spaces, quotes, `$` and `*` have no meaning. */
export function parseTargetPath(text: string): Checked<string> {
  const shape = commonMistake(text);
  if (shape !== undefined) return bad(shape);
  if (text.startsWith('~')) return bad(`"~" is not expanded: write the whole absolute path, found ${show(text)}`);
  if (!text.startsWith('/')) return bad(`expected an absolute path such as /run/nginx.pid, found ${show(text)}`);
  if (text.split('/').includes('..')) return bad(`must not contain "..", found ${show(text)}`);
  if (text.endsWith('/')) return bad(`expected a file, found the directory ${show(text)}`);
  return good(posix.normalize(text));
}

/** The path of a file on this machine; a relative one starts in the working directory. */
export function parseLocalPath(text: string): Checked<string> {
  const shape = commonMistake(text);
  if (shape !== undefined) return bad(shape);
  if (text.startsWith('~/')) return bad(`"~" is not expanded: write the whole path, found ${show(text)}`);
  return good(posix.resolve(text));
}

function commonMistake(text: string): string | undefined {
  if (Buffer.byteLength(text) > LONGEST) return `a path has at most ${LONGEST} bytes, found ${Buffer.byteLength(text)}`;
  if (hasInvisible(text)) return `expected one path without control or invisible characters, found ${show(text)}`;
  return undefined;
}

const CAUSES: Record<string, string> = {
  ENOENT: 'there is no file',
  ENOTDIR: 'a part of the path is not a directory:',
  EACCES: 'may not be read by this user:',
  ELOOP: 'is a circle of symbolic links:',
  ENAMETOOLONG: 'the path is too long:',
};

/** Why a path of this machine cannot be used, as the file system says it. */
export function unreadable(error: unknown, shown: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return `${CAUSES[code] ?? `cannot be read (${code}):`} ${shown}`;
}
