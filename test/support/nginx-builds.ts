import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.ts';
import { withLock } from './lock.ts';
import { nginxTarball, type NginxVersion } from './nginx-source.ts';
import { EDITS, type Edit, type Variant } from './nginx-variants.ts';

export type { NginxVersion, Variant };

const cache = join(import.meta.dirname, '../../.cache/nginx');
const TEN_MEGABYTES = 10 * 1024 * 1024;

/** As a distribution would; the same for all, so that no build differs from another by accident. */
export const CONFIGURE = [
  '--prefix=/usr/share/nginx',
  '--sbin-path=/usr/sbin/nginx',
  '--conf-path=/etc/nginx/nginx.conf',
  '--pid-path=/run/nginx.pid',
  '--error-log-path=/var/log/nginx/error.log',
  '--http-log-path=/var/log/nginx/access.log',
  '--lock-path=/var/lock/nginx.lock',
  '--http-client-body-temp-path=/var/lib/nginx/body',
  '--http-proxy-temp-path=/var/lib/nginx/proxy',
  '--http-fastcgi-temp-path=/var/lib/nginx/fastcgi',
  '--http-uwsgi-temp-path=/var/lib/nginx/uwsgi',
  '--http-scgi-temp-path=/var/lib/nginx/scgi',
  '--with-http_ssl_module',
  '--with-http_stub_status_module',
  '--with-http_realip_module',
  '--with-threads',
  '--with-stream',
];

/** Path of a real nginx, built from upstream source the first time (25 s) and kept. A variant is always of 1.26.3. */
export async function nginxBuild(version: NginxVersion, variant?: Variant): Promise<string> {
  if (variant && version !== '1.26.3') throw new Error(`expected 1.26.3 for the variant ${variant}, found ${version}`);
  const binary = join(cache, variant ? `nginx-${version}-${variant}` : `nginx-${version}`);
  if (existsSync(binary)) return binary;
  return withLock(join(cache, 'lock'), async () => {
    if (!existsSync(binary)) await build({ version, variant, binary });
    return binary;
  });
}

async function build(what: { version: NginxVersion; variant: Variant | undefined; binary: string }): Promise<void> {
  const built = await builtTree(what.version);
  const tree = what.variant ? await changedTree(built, what.variant) : built;
  const part = `${what.binary}.part`;
  await copyFile(join(tree, 'objs/nginx'), part);
  await mustRun(['strip', part]);
  await rename(part, what.binary);
  if (what.variant) await rm(tree, { recursive: true });
}

async function builtTree(version: NginxVersion): Promise<string> {
  const tree = join(cache, `nginx-${version}-tree`);
  if (existsSync(join(tree, 'objs/nginx'))) return tree;
  const tarball = await nginxTarball(version);
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree);
  await mustRun(['tar', '-xzf', tarball, '-C', tree, '--strip-components=1', '--no-same-owner']);
  await mustRun(['./configure', ...CONFIGURE], { cwd: tree });
  await make(tree);
  return tree;
}

async function make(tree: string): Promise<void> {
  // No debugging symbols and no -Werror: half the time, and newer compilers' new warnings break nothing.
  await mustRun(['make', '-s', '-j2', '-f', 'objs/Makefile', 'CFLAGS=-pipe -O', 'binary'], { cwd: tree });
}

/** A copy that keeps all times, so that make compiles what was edited and nothing else. */
async function changedTree(built: string, variant: Variant): Promise<string> {
  const tree = join(cache, `${variant}-tree`);
  await rm(tree, { recursive: true, force: true });
  await cp(built, tree, { recursive: true, preserveTimestamps: true });
  if (variant === 'big') await writeFile(join(tree, 'padding'), randomBytes(TEN_MEGABYTES));
  for (const edit of EDITS[variant]) await applyEdit(tree, edit);
  await make(tree);
  return tree;
}

async function applyEdit(tree: string, edit: Edit): Promise<void> {
  const path = join(tree, edit.file);
  const before = await readFile(path, 'utf8');
  if (!before.includes(edit.find)) throw new Error(`expected "${edit.find}" in ${edit.file}, found no such line`);
  const { atime, mtime } = await stat(path);
  await writeFile(path, before.replaceAll(edit.find || before, edit.replace || before));
  // Every object depends on every header: a header keeps its time, the edits name the sources that use it.
  if (path.endsWith('.h')) await utimes(path, atime, mtime);
}
