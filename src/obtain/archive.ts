import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Refused } from '../errors.ts';
import { refuse } from './refusal.ts';
import { runTool, streamTool } from './tools.ts';
import { type Entry, readListing, unsafeEntry } from './tar-listing.ts';

/** Bytes that any archive may unpack to. */
const UNPACKED_LIMIT = 2 * 1024 ** 3;

export interface Packed {
  bytes: Buffer;
  /** As people call it, such as the URL that it came from. */
  what: string;
}

/** What the first bytes say: only these are looked into. */
export function kindOf(bytes: Buffer): 'elf' | 'gzip' | 'xz' | 'deb' | undefined {
  const head = bytes.toString('latin1', 0, 21);
  if (head.startsWith('\x7fELF')) return 'elf';
  if (head.startsWith('\x1f\x8b')) return 'gzip';
  if (head.startsWith('\xfd7zXZ')) return 'xz';
  return head.startsWith('!<arch>\ndebian-binary') ? 'deb' : undefined;
}

/**
 * The one nginx in a `.tar.gz`, `.tar.xz` or `.deb`. Nothing is unpacked but its bytes, into our own memory. Throws Refused
 * (`archive-unsafe`) where the archive holds what nobody packs who means well, no nginx, or several.
 */
export async function nginxIn(packed: Packed): Promise<Buffer> {
  return withTar(packed, async (tar) => {
    const entries = await listed(tar, packed);
    const called = entries.filter(({ type, name }) => type !== 'd' && basename(name) === 'nginx');
    const odd = called.find(({ type }) => type !== '-');
    if (odd !== undefined) throw unsafe(packed, `${odd.name} in it is no plain file`);
    const twice = called.find(({ name }, index) => called.findIndex((other) => other.name === name) < index);
    if (twice !== undefined) throw unsafe(packed, `it holds ${twice.name} twice`);
    if (called.length > MOST_CALLED_NGINX) throw unsafe(packed, 'it holds many files that are called nginx');
    const programs = (await Promise.all(called.map((entry) => program(tar, entry)))).filter(
      (each) => each !== undefined,
    );
    const [only, ...others] = programs;
    if (only === undefined) throw unsafe(packed, 'it holds no program that is called nginx');
    if (others.length > 0) throw unsafe(packed, `it holds several: ${programs.map(({ name }) => name).join(', ')}`);
    return only.bytes;
  });
}

/** Scripts and settings of that name come with every package. */
const MOST_CALLED_NGINX = 16;

async function program(tar: string, { name, size }: Entry): Promise<{ name: string; bytes: Buffer } | undefined> {
  // Not more than was listed: of a directory of that name, tar would give all that is in it.
  const bytes = await streamTool(['tar', '-xOf', tar, '--no-recursion', '--', name], { limit: size });
  return kindOf(bytes) === 'elf' ? { name, bytes } : undefined;
}

/** Unpacks a source archive, without its one top directory, into `into`. Throws Refused (`archive-unsafe`). */
export async function unpackSource(packed: Packed, into: string): Promise<void> {
  await withTar(packed, async (tar) => {
    const entries = await listed(tar, packed);
    const names = entries.map(({ name }) => name.replace(/^\.\//, '')).filter((name) => name !== '');
    const tops = new Set(names.map((name) => name.split('/', 1)[0]));
    if (tops.size !== 1 || !names.every((name) => name.includes('/')))
      throw unsafe(packed, `expected one directory at its top, found ${tops.size === 1 ? 'a file' : tops.size}`);
    const dotted = entries.every(({ name }) => name.startsWith('./'));
    if (names.some((name) => name.startsWith('./')) || (!dotted && entries.some(({ name }) => name.startsWith('./'))))
      throw unsafe(packed, 'its names begin in different ways');
    const strip = `--strip-components=${dotted ? 2 : 1}`;
    await runTool(['tar', '-xf', tar, '-C', into, strip, '--no-same-owner', '--no-same-permissions']);
  });
}

/** Gives the path of a file that `tar` reads by itself; of a package, what dpkg-deb says is in it. */
async function withTar<T>(packed: Packed, body: (tar: string) => Promise<T>): Promise<T> {
  const kind = kindOf(packed.bytes);
  if (kind === undefined || kind === 'elf') throw unsafe(packed, 'it is neither a .tar.gz, a .tar.xz nor a .deb');
  const dir = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-unpack-'));
  try {
    const file = join(dir, `archive.${kind}`);
    await writeFile(file, packed.bytes, { mode: 0o600, flag: 'wx' });
    if (kind !== 'deb') return await body(file);
    const tar = join(dir, 'data.tar');
    await writeFile(
      tar,
      await orDamaged(packed, streamTool(['dpkg-deb', '--fsys-tarfile', file], { limit: UNPACKED_LIMIT })),
    );
    return await body(tar);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function listed(tar: string, packed: Packed): Promise<Entry[]> {
  const text = await orDamaged(packed, runTool(['tar', '--numeric-owner', '-tvf', tar]));
  const entries = readListing(text);
  if (typeof entries === 'string') throw unsafe(packed, entries);
  // A package is laid out for the root of a system: where its links lead is no matter, they are not followed.
  const judged = kindOf(packed.bytes) === 'deb' ? entries.filter(({ type }) => type !== 'l') : entries;
  const clause = unsafeEntry(judged, UNPACKED_LIMIT);
  if (clause !== undefined) throw unsafe(packed, clause);
  return entries;
}

/** What a program cannot read is damaged; a program that is not here is another matter. */
async function orDamaged<T>(packed: Packed, reading: Promise<T>): Promise<T> {
  return reading.catch(async (error: unknown) => {
    if (error instanceof Refused) throw error;
    // tar calls it, and only says that it could not.
    const unpacker = kindOf(packed.bytes);
    if (unpacker === 'xz' || unpacker === 'gzip') await runTool([unpacker, '--version']);
    throw unsafe(packed, 'it is damaged');
  });
}

function unsafe({ what }: Packed, clause: string) {
  return refuse(
    'archive-unsafe',
    `${what} is no archive that can be used: ${clause}`,
    'Pack exactly one nginx, with plain files and relative names.',
  );
}
