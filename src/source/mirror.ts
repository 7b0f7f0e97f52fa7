import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { fetchBytes, type FetchOptions } from '../obtain/fetch.ts';
import { refuse } from '../obtain/refusal.ts';
import { compareVersions } from '../nginx/versions.ts';

/** Where releases lie: `https://nginx.org/download/nginx-{version}.tar.gz`, or a directory with the same names. */
export interface Mirror {
  /** URL of a release, with `{version}`. */
  template: string;
  /** URL of the directory that lists the releases. */
  directory: string;
  /** URL of a directory with signers' keys, `NAME.key`. */
  keys: string;
}

export const NGINX_ORG = 'https://nginx.org/download/nginx-{version}.tar.gz';

/** `source` as the user gave it: a template, or a directory with a slash at its end. */
export function mirrorOf(source: string): Mirror {
  const template = source.includes('{version}') ? source : `${source.replace(/\/*$/, '/')}nginx-{version}.tar.gz`;
  const directory = template.slice(0, template.slice(0, template.indexOf('{version}')).lastIndexOf('/') + 1);
  const keys = template === NGINX_ORG ? 'https://nginx.org/keys/' : `${directory}keys/`;
  return { template, directory, keys };
}

export function urlOf({ template }: Mirror, version: string): string {
  return template.replaceAll('{version}', version);
}

/** `1.30.4`; the newest of a line (`1.30`), of the stable or of the mainline branch. */
export type Wish =
  { kind: 'exact'; version: string } | { kind: 'line'; line: string } | { kind: 'stable' | 'mainline' };

const LISTING: FetchOptions = { what: 'the list of releases', limit: 16 * 1024 * 1024, deadline: 60_000 };

/** The version that is meant. Throws Refused (`version-unknown`, `download-failed`). */
export async function resolveVersion(wish: Wish, mirror: Mirror): Promise<string> {
  if (wish.kind === 'exact') return wish.version;
  const found = newest(versionsIn(await listingOf(mirror)), wish);
  if (found !== undefined) return found;
  const wanted = wish.kind === 'line' ? `release of ${wish.line}` : `${wish.kind} release`;
  throw refuse(
    'version-unknown',
    `expected a ${wanted} in ${mirror.directory}; found none`,
    'Name a whole version in `nginx-version`.',
  );
}

async function listingOf({ directory }: Mirror): Promise<string> {
  const url = new URL(directory);
  if (url.protocol !== 'file:') return String(await fetchBytes(directory, LISTING));
  const names = await readdir(fileURLToPath(url)).catch(() => []);
  return names.join('\n');
}

/** Every version of which a listing, be it a page or a list of names, names a tarball. */
export function versionsIn(listing: string): string[] {
  return [
    ...new Set(
      [...listing.matchAll(/(?<![\w.-])nginx-(\d+\.\d+\.\d+)\.tar\.gz(?![\w.~-])/g)].map(([, version = '']) => version),
    ),
  ];
}

/** Stable lines have an even second number, mainline an odd one (nginx.org/en/download.html). */
export function newest(versions: readonly string[], wish: Exclude<Wish, { kind: 'exact' }>): string | undefined {
  const fits = (version: string): boolean => {
    if (wish.kind === 'line') return version.startsWith(`${wish.line}.`);
    const even = Number(version.split('.')[1]) % 2 === 0;
    return even === (wish.kind === 'stable');
  };
  return versions.filter(fits).toSorted(compareVersions).at(-1);
}
