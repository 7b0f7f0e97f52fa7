import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.ts';
import { withLock } from './lock.ts';
import { machineRelease } from './machine-release.ts';

const cache = join(import.meta.dirname, '../../.cache/debian');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Releases whose source packages are asked for. */
const SUITES = ['bookworm', 'trixie'] as const;
export type Suite = (typeof SUITES)[number];

/**
 * Path of one file of a Debian source package, such as `nginx_1.26.3.orig.tar.gz`. apt checks the lists' signatures, and
 * by them the file. Single files: a mirror in the middle of a point release may not have all that its lists name.
 */
export async function sourceFile(name: string, from: { package: string; suite: Suite }): Promise<string> {
  return kept(name, async (apt) => mustRun([...apt, '--print-uris', 'source', `${from.package}/${from.suite}`]));
}

/** Path of a binary package of this machine's release. */
export async function packageFile(name: string): Promise<string> {
  return kept(`${name}.deb`, async (apt) => mustRun([...apt, '--print-uris', 'download', name]));
}

/** Fetched once. `uris` prints lines of apt's: 'URI' FILE SIZE HASH. */
async function kept(name: string, uris: (apt: string[]) => Promise<string>): Promise<string> {
  const path = join(cache, name);
  if (existsSync(path)) return path;
  return withLock(join(cache, 'lock'), async () => {
    if (existsSync(path)) return path;
    const apt = await preparedApt();
    const lines = [...(await uris(apt)).matchAll(/^'(\S+)' (\S+) \d+ (\w+:\w+)$/gm)];
    const found = lines.find(([, , file]) => file === name) ?? (name.endsWith('.deb') ? lines[0] : undefined);
    if (found === undefined)
      throw new Error(`expected ${name}, found ${lines.map(([, , file]) => file).join(', ') || 'nothing'}`);
    const [, uri = '', , hash = ''] = found;
    await mustRun(['/usr/lib/apt/apt-helper', ...(await options()), 'download-file', uri, path, hash]);
    return path;
  });
}

/** Everything of apt's own state lies in the cache, so the machine's lists and caches are left alone. */
async function preparedApt(): Promise<string[]> {
  const directories = ['lists/partial', 'cache/archives/partial'].map((name) => join(cache, name));
  await Promise.all(directories.map((directory) => mkdir(directory, { recursive: true })));
  const mirror = await debianMirror();
  const { id, codename } = await machineRelease();
  const line = (kind: string, suite: string) => `${kind} [signed-by=${KEYRING}] ${mirror} ${suite} main\n`;
  const lines = [...SUITES.map((suite) => line('deb-src', suite)), ...(id === 'debian' ? [line('deb', codename)] : [])];
  await writeFile(join(cache, 'sources.list'), lines.join(''));
  const apt = ['apt-get', ...(await options()), '-q'];
  if (!existsSync(join(cache, 'updated'))) {
    await mustRun([...apt, 'update']);
    await writeFile(join(cache, 'updated'), '');
  }
  return apt;
}

async function options(): Promise<string[]> {
  const settings = {
    'Dir::Etc::SourceList': join(cache, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(cache, 'lists'),
    'Dir::Cache': join(cache, 'cache'),
    // The unprivileged user that apt would drop to cannot write below a home or a checkout.
    'APT::Sandbox::User': '',
    'Debug::NoLocking': 'true',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

async function debianMirror(): Promise<string> {
  const given = process.env['NHU_DEBIAN_MIRROR'];
  if (given) return given;
  const { id, mirror } = await machineRelease();
  if (id === 'debian') return mirror;
  throw new Error('expected a Debian machine with a mirror in its apt sources; elsewhere set NHU_DEBIAN_MIRROR');
}
