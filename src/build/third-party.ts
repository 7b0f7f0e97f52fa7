import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModuleSource } from '../config.ts';
import { kindOf, unpackSource } from '../obtain/archive.ts';
import { fetchBytes, sha256Of } from '../obtain/fetch.ts';
import { refuse } from '../obtain/refusal.ts';

/** The sources of a third-party module, ready to be put beside nginx's own. */
export interface ModuleTree {
  source: ModuleSource;
  /** Of all that is in it; SHA-256, lower-case hexadecimal. */
  digest: string;
  /** Puts it into a directory that does not exist yet. */
  placeAt: (directory: string) => Promise<void>;
}

const LIMIT = 256 * 1024 * 1024;

/** Reads a directory or an archive, fetches it where it is a URL. Throws Refused. */
export async function readModule(source: ModuleSource): Promise<ModuleTree> {
  if (!/^https:\/\//i.test(source.from) && (await stat(source.from)).isDirectory()) return directoryTree(source);
  const what = `the source of the module ${source.name}`;
  const url = /^https:\/\//i.test(source.from) ? source.from : pathToFileURL(source.from).href;
  const bytes = await fetchBytes(url, { what, limit: LIMIT, deadline: 300_000 });
  const digest = sha256Of(bytes);
  if (source.sha256 !== undefined && source.sha256 !== digest) {
    throw refuse(
      'digest-mismatch',
      `${source.from} has the digest ${digest}, expected ${source.sha256}`,
      'Compare both with what its author publishes.',
    );
  }
  if (kindOf(bytes) === undefined)
    throw refuse('archive-unsafe', `${source.from} is no archive`, 'Give a directory, a .tar.gz or a .tar.xz.');
  return {
    source,
    digest,
    placeAt: async (directory) => {
      await mkdir(directory, { recursive: true });
      await unpackSource({ bytes, what }, directory);
    },
  };
}

async function directoryTree(source: ModuleSource): Promise<ModuleTree> {
  return {
    source,
    digest: await digestOfTree(source.from),
    placeAt: (directory) =>
      cp(source.from, directory, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => basename(path) !== '.git',
      }),
  };
}

/** Where it leads, and what is there: both decide what is built. */
async function behindLink(path: string): Promise<Buffer> {
  const target = await readlink(path);
  const content = await readFile(path).catch(() => Buffer.alloc(0));
  return Buffer.concat([Buffer.from(`-> ${target}\0`), content]);
}

/** Of names and contents; what a version control keeps beside them does not count. */
async function digestOfTree(root: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const counting = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => ({ path: join(entry.parentPath, entry.name), link: entry.isSymbolicLink() }))
    .filter(({ path }) => !relative(root, path).split(sep).includes('.git'));
  for (const { path, link } of counting.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const bytes = link ? await behindLink(path) : await readFile(path);
    hash.update(`${relative(root, path)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}
