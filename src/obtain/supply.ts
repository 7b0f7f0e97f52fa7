import type { BinarySource } from '../config.ts';
import { type NewBinary, loadBinary, newBinary } from '../binary/new-binary.ts';
import type { MasterFacts } from '../target/facts.ts';
import type { Logger } from '../report/logger.ts';
import { sha256Of, fetchBytes } from './fetch.ts';
import { kindOf, nginxIn } from './archive.ts';
import { findEntry, keyOf, storeEntry } from './cache.ts';
import { refuse } from './refusal.ts';

/** Where targets get their new nginx from. */
export interface Supply {
  /** For a master, or (with explicit arguments, or a file) for anybody. Obtained once for all that need the same. */
  for: (master: MasterFacts | null) => Promise<NewBinary>;
  /** Begins what costs nothing but a moment. */
  warmUp: () => void;
  /** Whether asking costs more than a moment: a download, a build. */
  costly: boolean;
  /** What `for` would give without building, where that is known. */
  atHand: (master: MasterFacts | null) => Promise<NewBinary | undefined>;
  /** What was given last. */
  latest: () => NewBinary | undefined;
}

export interface SupplyOptions {
  log: Logger;
}

/** Nothing is obtained before it is asked for. */
export function openSupply(source: BinarySource, options: SupplyOptions): Supply {
  if (source.kind === 'file')
    return remembering(
      forAll(() => loadBinary(source.path)),
      { costly: false },
    );
  if (source.kind === 'download')
    return remembering(
      forAll(() => downloaded(source)),
      { costly: true },
    );
  const workshop = once(async () => (await import('./workshop.ts')).openWorkshop(source, options));
  const builds = {
    for: async (master: MasterFacts | null) => (await workshop()).for(master),
    atHand: async (master: MasterFacts | null) => (await workshop()).atHand(master),
  };
  return remembering(builds, { costly: true });
}

/** Gives binaries; `atHand` only those that need not be made. */
export type Source = Pick<Supply, 'for' | 'atHand'>;

/** The same for everybody. */
function forAll(obtain: () => Promise<NewBinary>): Source {
  const obtained = once(obtain);
  return { for: obtained, atHand: obtained };
}

function remembering(source: Source, { costly }: { costly: boolean }): Supply {
  let latest: NewBinary | undefined;
  return {
    for: async (master) => (latest = await source.for(master)),
    atHand: async (master) => (latest = (await source.atHand(master)) ?? latest),
    warmUp: () => {
      if (!costly) source.for(null).catch(() => {});
    },
    costly,
    latest: () => latest,
  };
}

/** Runs `make` at the first call only; a failure shows wherever it is waited for. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    made.catch(() => {});
    return made;
  };
}

const DOWNLOAD_LIMIT = 1024 ** 3;

/** A bare nginx, or the one in an archive. The digest is that of what is downloaded. */
async function downloaded({ url, sha256 }: { url: string; sha256: string }): Promise<NewBinary> {
  // What it is, only the file itself can say, and only once it lies somewhere.
  const place = { version: '0.0.0', key: keyOf({ url, sha256 }) };
  const known = await findEntry(place.version, place.key);
  if (known !== undefined) return newBinary(known);
  const bytes = await fetchBytes(url, { what: 'the new nginx', limit: DOWNLOAD_LIMIT, deadline: 600_000 });
  const digest = sha256Of(bytes);
  if (digest !== sha256) {
    const page = /^\s*<(?:!doctype|html)/i.test(bytes.toString('latin1', 0, 100))
      ? ' It is an HTML page: the address leads to no file.'
      : '';
    throw refuse(
      'digest-mismatch',
      `${url} has the digest ${digest}, expected ${sha256}.${page}`,
      'Compare both with the digest that its author publishes.',
    );
  }
  const nginx = kindOf(bytes) === 'elf' ? bytes : await nginxIn({ bytes, what: url });
  return newBinary(await storeEntry({ nginx, modules: [] }, place));
}
