import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.ts';
import { machineRelease } from './machine-release.ts';

/** Which Debian release carries which upstream tarball in its source package. */
const SUITES = { '1.22.1': 'bookworm', '1.26.3': 'trixie' } as const;
export type NginxVersion = keyof typeof SUITES;

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Path of the upstream tarball, fetched once into `dir` as part of a Debian source package (apt checks the signatures).
 * Everything of apt's own state lies below `dir`, so the machine's lists and caches are left alone.
 */
export async function nginxTarball(version: NginxVersion, dir: string): Promise<string> {
  const tarball = join(dir, `nginx_${version}.orig.tar.gz`);
  if (existsSync(tarball)) return tarball;
  await Promise.all(
    ['lists/partial', 'cache/archives/partial'].map((name) => mkdir(join(dir, name), { recursive: true })),
  );
  const options = await aptOptions(dir);
  await mustRun(['apt-get', ...options, '-q', 'update']);
  for (const suite of Object.values(SUITES)) {
    // Only the upstream part: a mirror in the middle of a point release may not have the packaging that its list names.
    await mustRun(['apt-get', ...options, '-q', 'source', '--download-only', '--tar-only', `nginx/${suite}`], {
      cwd: dir,
    });
  }
  if (existsSync(tarball)) return tarball;
  const found = (await readdir(dir)).filter((name) => name.includes('.orig.tar.'));
  throw new Error(`expected the source package of nginx ${version}, found ${found.join(', ') || 'none'}`);
}

async function aptOptions(dir: string): Promise<string[]> {
  const mirror = await debianMirror();
  const lines = Object.values(SUITES).map((suite) => `deb-src [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  const list = join(dir, 'sources.list');
  await writeFile(list, lines.join(''));
  const settings = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(dir, 'lists'),
    'Dir::Cache': join(dir, 'cache'),
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
