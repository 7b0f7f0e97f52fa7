import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Built } from '../build/build.ts';
import { sha256Of } from './fetch.ts';

/** What is kept of a build, in the runner's tool cache. */
export interface Entry extends Built {
  /** Of the nginx in the cache. */
  path: string;
}

/** Everything that makes one build differ from another; the same parts give the same key. */
export type KeyParts = Readonly<Record<string, unknown>>;

const TOOL = 'nginx-hot-upgrade';

export function keyOf(parts: KeyParts): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * The entry where this user of this machine stored it, and each file has the digest that was noted then. What others put into the
 * cache is as good as nothing: who can write an entry can write a list of digests beside it, so ours lies elsewhere. A spoilt one
 * is removed.
 */
export async function findEntry(version: string, key: string): Promise<Entry | undefined> {
  const { find } = await toolCache();
  const directory = await quietly(async () => find(TOOL, version, key));
  if (directory === '') return undefined;
  const entry = await readEntry(directory, { version, key }).catch(() => undefined);
  if (entry === undefined)
    await Promise.all([directory, `${directory}.complete`].map((path) => rm(path, { recursive: true, force: true })));
  return entry;
}

export async function storeEntry({ nginx, modules }: Built, place: { version: string; key: string }): Promise<Entry> {
  const { cacheDir } = await toolCache();
  const directory = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-store-'));
  try {
    const files = [
      { name: 'nginx', bytes: nginx },
      ...modules.map(({ name, bytes }) => ({ name: join('modules', name), bytes })),
    ];
    await mkdir(join(directory, 'modules'));
    for (const { name, bytes } of files) await writeFile(join(directory, name), bytes, { mode: 0o755 });
    const stored = await quietly(() => cacheDir(directory, TOOL, place.version, place.key));
    // Where nothing can be noted, it is built again next time.
    await note(place, Object.fromEntries(files.map(({ name, bytes }) => [name, sha256Of(bytes)]))).catch(() => {});
    return { nginx, modules, path: join(stored, 'nginx') };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Place {
  version: string;
  key: string;
}

/** Of the digests of an entry's files: with the user's state, not with what caches keep and jobs hand on. Rejects where there is no such place. */
function voucherOf({ version, key }: Place): string {
  const { XDG_STATE_HOME, HOME } = process.env;
  const state = XDG_STATE_HOME || (HOME && join(HOME, '.local/state'));
  if (!state) throw new Error('there is no place for the state of this user: neither HOME nor XDG_STATE_HOME is set');
  return join(state, TOOL, 'built', `${version}-${key}.json`);
}

async function note(place: Place, digests: Record<string, string>): Promise<void> {
  const path = voucherOf(place);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, JSON.stringify(digests, null, 2), { mode: 0o600 });
}

/** Rejects where anything is missing or has another digest than was noted. */
async function readEntry(directory: string, place: Place): Promise<Entry> {
  const noted: unknown = JSON.parse(await readFile(voucherOf(place), 'utf8'));
  if (typeof noted !== 'object' || noted === null) throw new Error('no list of files in the entry');
  const files = await Promise.all(
    Object.entries(noted).map(([name, digest]) => readNoted(directory, { name, digest })),
  );
  const nginx = files.find(({ name }) => name === 'nginx');
  if (nginx === undefined) throw new Error('no nginx in the entry');
  const modules = files
    .filter(({ name }) => name.startsWith('modules/'))
    .map(({ name, bytes }) => ({ name: name.slice('modules/'.length), bytes }));
  return { path: join(directory, 'nginx'), nginx: nginx.bytes, modules };
}

async function readNoted(directory: string, { name, digest }: { name: string; digest: unknown }) {
  if (!/^(?:nginx|modules\/[\w.-]+)$/.test(name)) throw new Error(`an odd name in the entry: ${name}`);
  const bytes = await readRegular(join(directory, name));
  if (sha256Of(bytes) !== digest) throw new Error(`${name} has another digest than was noted`);
  return { name, bytes };
}

/** Who writes to the cache may put a pipe there, or what never ends. */
async function readRegular(path: string): Promise<Buffer> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > MOST_BYTES) throw new Error(`${path} is no file of an entry`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

const MOST_BYTES = 1024 ** 3;

/** The runner names the place of its cache; elsewhere it is the user's own. */
async function toolCache() {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  process.env['RUNNER_TOOL_CACHE'] ||= join(base, TOOL, 'tools');
  process.env['RUNNER_TEMP'] ||= tmpdir();
  return import('@actions/tool-cache');
}

/** tool-cache speaks to a runner (`::debug::`) even where there is none to hide it. */
async function quietly<T>(body: () => Promise<T>): Promise<T> {
  if (process.env['GITHUB_ACTIONS'] === 'true') return body();
  // One after the other: of two that overlap, the second would put the filter of the first back for good.
  const turn = quiet.then(() => filtered(body));
  quiet = turn.then(
    () => {},
    () => {},
  );
  return turn;
}

let quiet: Promise<void> = Promise.resolve();

async function filtered<T>(body: () => Promise<T>): Promise<T> {
  const write = process.stdout.write.bind(process.stdout);
  const selective = (...args: Parameters<typeof write>): boolean =>
    String(args[0]).startsWith('::debug::') || write(...args);
  Object.assign(process.stdout, { write: selective });
  try {
    return await body();
  } finally {
    Object.assign(process.stdout, { write });
  }
}
