import { randomBytes } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { forge, type Kind, link, type Member, pack } from './archives.ts';
import { folder, plant, refused } from './support.ts';

export const PROGRAM = Buffer.concat([Buffer.from('\x7fELF'), randomBytes(100_000)]);

/** What nobody packs who means well. */
export const HOSTILE: [what: string, member: Member, why: RegExp][] = [
  ['a name that climbs', { name: 'top/../../evil' }, /leads out of it/],
  ['an absolute name', { name: '/tmp/evil' }, /"\/tmp\/evil" leads out of it/],
  ['a name in two lines', { name: 'top/a\nb' }, /line break/],
  ['a hard link', { name: 'top/hard', type: '1', target: 'usr/sbin/nginx' }, /"top\/hard" is a hard link/],
  ['a character device', { name: 'top/tty', type: '3' }, /a device or a pipe/],
  ['a block device', { name: 'top/disk', type: '4' }, /a device or a pipe/],
  ['a fifo', { name: 'top/fifo', type: '6' }, /a device or a pipe/],
  ['a setuid file', { name: 'top/su', mode: 0o4755 }, /"top\/su" changes the user/],
  ['a setgid file', { name: 'top/sg', mode: 0o2755 }, /"top\/sg" changes the user/],
  ['a name that is an option', { name: '--to-command=id /x' }, /"--to-command=id \/x" is called like an option/],
  [
    'an absolute name behind an owner whose name looks like the columns of a listing',
    { name: '/tmp/evil', owner: 'x 5 2026-01-01 12:00 y' },
    /"\/tmp\/evil" leads out of it/,
  ],
  ['a link to an absolute path', link('top/out', '/etc'), /"top\/out" leads upwards, to \/etc/],
  ['a link that climbs', link('top/a/out', '../../../etc'), /leads upwards/],
  ['a link that climbs within, which another link may make a way out', link('top/a/in', '../b'), /leads upwards/],
  ['a link whose name nobody can tell from its target', link('top/a', 'b -> ../../etc'), /a link that cannot be read/],
];

/** What is none, or none any more. */
export const DAMAGED: [what: string, bytes: () => Buffer, why: RegExp][] = [
  ['an empty file', () => Buffer.alloc(0), /neither a \.tar\.gz, a \.tar\.xz nor a \.deb/],
  ['an HTML page', () => Buffer.from('<!DOCTYPE html><title>404'), /neither/],
  ['a bare program', () => PROGRAM, /neither/],
  ['half a .tar.gz', () => half('tar.gz'), /damaged/],
  ['half a .tar.xz', () => half('tar.xz'), /damaged/],
  ['half a .deb', () => half('deb'), /damaged/],
  ['something else in gzip', () => gzipSync('nginx'.repeat(1000)), /damaged/],
  ['an archive of nothing', () => forge(), /empty/],
];

/** An expectation for `assert.rejects`. */
export const unsafe = (why: RegExp) => refused('archive-unsafe', why);

/** Three GiB of holes, packed as such. */
export function bomb(): Buffer {
  const directory = plant(folder(), { 'top/sbin/nginx': '' });
  truncateSync(join(directory, 'top/sbin/nginx'), 3 * 1024 ** 3);
  return pack(directory, 'tar.gz');
}

function half(kind: Kind): Buffer {
  const whole = pack(plant(folder(), { 'top/nginx': PROGRAM }), kind);
  return whole.subarray(0, whole.length / 2);
}
