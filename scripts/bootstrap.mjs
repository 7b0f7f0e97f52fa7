/**
 * Everything that tests and demo need besides Node and npm. Plain JavaScript on built-ins only: it runs before anything
 * is installed, on whatever Node there is. As a program (`node scripts/bootstrap.mjs`) it installs all of it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');

/** Debian packages, by what they are for. */
export const PACKAGES = {
  build:
    'gcc libc6-dev make binutils libpcre2-dev zlib1g-dev libssl-dev libxslt1-dev libgd-dev libgeoip-dev libperl-dev perl xz-utils dpkg-dev gpgv gnupg debian-archive-keyring'.split(
      ' ',
    ),
  shells: 'bash dash mksh busybox shellcheck'.split(' '),
  tests: 'openssh-server openssh-client sudo iproute2 procps curl attr e2fsprogs util-linux'.split(' '),
  hosts: 'debootstrap systemd-container'.split(' '),
};

/** Runs `npm ci` where node_modules is missing or not what package-lock.json says. */
export function ensureNodeModules() {
  const difference = lockDifference();
  if (difference === undefined) return;
  console.log(`Installing the npm packages of package-lock.json (${difference})`);
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  run([...npm, 'ci', '--no-fund', '--no-audit']);
}

/** Path of the Node 24 that comes with the npm packages. */
export function node24() {
  const path = join(root, 'node_modules/.bin/node');
  if (existsSync(path)) return path;
  throw new Error(
    `expected Node 24 at ${path}, found nothing: npm did not run the install script of the package "node"`,
  );
}

/** Installs the Debian packages that are missing. Returns why that is impossible here, or undefined. */
export function ensurePackages(names) {
  const missing = missingPackages(names);
  if (missing.length === 0) return undefined;
  const sudo = sudoWords();
  if (!existsSync('/usr/bin/apt-get')) return `no apt-get to install ${missing.join(' ')} with`;
  if (!sudo) return `neither root nor sudo without a password to install ${missing.join(' ')} with`;
  console.log(`Installing the Debian packages ${missing.join(' ')}`);
  const apt = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300'];
  // A mirror of somebody else's that is away must not matter; if ours is, the installation says so.
  spawnSync(apt[0], [...apt.slice(1), 'update'], { stdio: ['ignore', 'ignore', 'inherit'] });
  withoutServices(sudo, () => run([...apt, 'install', '-y', '--no-install-recommends', ...missing], 'ignore'));
  return undefined;
}

/** How to become root: no words where we are root, undefined where we cannot. */
export function sudoWords() {
  if (process.getuid() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/** What differs between node_modules and the lock file; undefined where nothing does. */
function lockDifference() {
  const installed = packagesOf('node_modules/.package-lock.json');
  if (!installed || !existsSync(join(root, 'node_modules/.bin/node'))) return 'none are there';
  const wanted = packagesOf('package-lock.json') ?? {};
  const other = Object.entries(wanted).find(([path, { version, optional }]) => {
    return path !== '' && (installed[path] ? installed[path].version !== version : !optional);
  });
  return other && `${other[0]} is not ${other[1].version}`;
}

function packagesOf(file) {
  const path = join(root, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

function missingPackages(names) {
  const format = '${Package} ${db:Status-Status}\n';
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', format, ...names], { encoding: 'utf8' });
  const there = new Set((stdout ?? '').split('\n').filter((line) => line.endsWith(' installed')));
  return names.filter((name) => !there.has(`${name} installed`));
}

/** apt would start an SSH server on this very machine; a policy file says no, for as long as we install. */
function withoutServices(sudo, install) {
  const script = `set -e; policy=/usr/sbin/policy-rc.d
    [ ! -e $policy ] || mv $policy $policy.before-tests
    printf '#!/bin/sh\\nexit 101\\n' >$policy; chmod 755 $policy`;
  const restore = `policy=/usr/sbin/policy-rc.d; rm -f $policy
    [ ! -e $policy.before-tests ] || mv $policy.before-tests $policy`;
  run([...sudo, 'sh', '-c', script]);
  try {
    install();
  } finally {
    run([...sudo, 'sh', '-c', restore]);
  }
}

function run(words, stdout = 'inherit') {
  const { status, error } = spawnSync(words[0], words.slice(1), { cwd: root, stdio: ['ignore', stdout, 'inherit'] });
  if (status !== 0) throw new Error(`expected exit 0 of "${words.join(' ')}", found ${error ?? status}`);
}

if (
  process.argv[1] &&
  import.meta.url.endsWith('/scripts/bootstrap.mjs') &&
  process.argv[1].endsWith('bootstrap.mjs')
) {
  ensureNodeModules();
  const gap = ensurePackages(Object.values(PACKAGES).flat());
  if (gap) throw new Error(gap);
}
