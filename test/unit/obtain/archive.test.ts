import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { kindOf, nginxIn, unpackSource } from '../../../src/obtain/archive.ts';
import { forge, type Kind, link, type Member, pack } from './archives.ts';
import { folder, plant, refused, restoring } from './support.ts';

const PROGRAM = Buffer.concat([Buffer.from('\x7fELF'), randomBytes(100_000)]);
/** What is packed beside a program; a directory of that name among it. */
const OTHERS = { 'etc/default/nginx': '# options\n', 'usr/share/doc/nginx/copyright': '', 'README with blanks': '' };
const NGINX: Member = { name: 'usr/sbin/nginx', mode: 0o755, content: 'program' };
const KINDS: Kind[] = ['tar.gz', 'tar.xz', 'deb'];

const inside = (bytes: Buffer): Promise<Buffer> => nginxIn({ bytes, what: 'the archive' });
const unsafe = (why: RegExp) => refused('archive-unsafe', why);

const HOSTILE: [what: string, member: Member, why: RegExp][] = [
  ['a name that climbs', { name: 'top/../../evil' }, /leads out of it/],
  ['an absolute name', { name: '/tmp/evil' }, /"\/tmp\/evil" leads out of it/],
  ['a name in two lines', { name: 'top/a\nb' }, /line break/],
  ['a hard link', { name: 'top/hard', type: '1', target: 'usr/sbin/nginx' }, /"top\/hard" is a hard link/],
  ['a character device', { name: 'top/tty', type: '3' }, /a device or a pipe/],
  ['a block device', { name: 'top/disk', type: '4' }, /a device or a pipe/],
  ['a fifo', { name: 'top/fifo', type: '6' }, /a device or a pipe/],
  ['a setuid file', { name: 'top/su', mode: 0o4755 }, /"top\/su" changes the user/],
  ['a setgid file', { name: 'top/sg', mode: 0o2755 }, /"top\/sg" changes the user/],
];
const LEADING_OUT: typeof HOSTILE = [
  ['a link to an absolute path', link('top/out', '/etc'), /"top\/out" leads out of it, to \/etc/],
  ['a link that climbs', link('top/a/out', '../../../etc'), /leads out of it/],
];

/** What is none, or none any more. */
const DAMAGED: [what: string, bytes: () => Buffer, why: RegExp][] = [
  ['an empty file', () => Buffer.alloc(0), /neither a \.tar\.gz, a \.tar\.xz nor a \.deb/],
  ['an HTML page', () => Buffer.from('<!DOCTYPE html><title>404'), /neither/],
  ['a bare program', () => PROGRAM, /neither/],
  ['half a .tar.gz', () => half('tar.gz'), /damaged/],
  ['half a .tar.xz', () => half('tar.xz'), /damaged/],
  ['something else in gzip', () => gzipSync('nginx'.repeat(1000)), /damaged/],
  ['an archive of nothing', () => forge(), /empty/],
];

function half(kind: Kind): Buffer {
  const whole = pack(plant(folder(), { 'top/nginx': PROGRAM }), kind);
  return whole.subarray(0, whole.length / 2);
}

/** Three GiB of holes, packed as such. */
function bomb(): Buffer {
  const directory = plant(folder(), { 'top/sbin/nginx': '' });
  truncateSync(join(directory, 'top/sbin/nginx'), 3 * 1024 ** 3);
  return pack(directory, 'tar.gz');
}

describe('kindOf', () => {
  it('goes by the first bytes', () => {
    assert.equal(kindOf(PROGRAM), 'elf');
    assert.equal(kindOf(gzipSync('')), 'gzip');
    assert.equal(kindOf(pack(plant(folder(), OTHERS), 'tar.xz')), 'xz');
    assert.equal(kindOf(pack(plant(folder(), OTHERS), 'deb')), 'deb');
  });

  it('knows nothing else, an archive of a library included', () => {
    for (const text of ['', '<html>', '!<arch>\nngx_core.o/   ', 'PK\x03\x04'])
      assert.equal(kindOf(Buffer.from(text)), undefined);
  });
});

describe('nginxIn', () => {
  restoring('TMPDIR');

  for (const kind of KINDS) {
    it(`gives the one nginx among other files of a .${kind}`, async () => {
      const bytes = pack(plant(folder(), { ...OTHERS, 'usr/sbin/nginx': PROGRAM }), kind);
      assert.deepEqual(await inside(bytes), PROGRAM);
    });

    it(`finds none in a .${kind} without one`, async () => {
      const bytes = pack(plant(folder(), { 'usr/share/doc/nginx/copyright': '', 'usr/sbin/nginx-debug': '' }), kind);
      await assert.rejects(inside(bytes), unsafe(/the archive.*no file that is called nginx/));
    });

    it(`does not choose between two in a .${kind}`, async () => {
      const bytes = pack(plant(folder(), { 'usr/sbin/nginx': PROGRAM, 'usr/local/sbin/nginx': PROGRAM }), kind);
      await assert.rejects(inside(bytes), unsafe(/several: (?=.*usr\/sbin\/nginx)(?=.*usr\/local\/sbin\/nginx)/));
    });
  }

  it('gives one that lost its right to be executed, where there is no other', async () => {
    assert.equal(String(await inside(forge({ ...NGINX, mode: 0o644 }))), 'program');
  });

  it('does not follow a link of that name, not even within', async () => {
    const bytes = forge({ ...NGINX, name: 'usr/sbin/nginx-1.30' }, link('usr/sbin/nginx', 'nginx-1.30'));
    await assert.rejects(inside(bytes), unsafe(/usr\/sbin\/nginx in it is no plain file/));
  });

  for (const [what, member, why] of [...HOSTILE, ...LEADING_OUT]) {
    it(`refuses ${what} beside a good nginx`, async () => {
      await assert.rejects(inside(forge(NGINX, member)), unsafe(why));
    });
  }

  for (const [what, bytes, why] of DAMAGED) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(inside(bytes()), unsafe(why));
    });
  }

  it('refuses what would unpack to more than fits', async () => {
    await assert.rejects(inside(bomb()), unsafe(/would unpack to 3221225472 bytes/));
  });

  it('lets a package link to where it will be installed, which no other archive may', async () => {
    const directory = plant(folder(), { 'usr/sbin/nginx': PROGRAM });
    mkdirSync(join(directory, 'etc'));
    symlinkSync('/usr/share/nginx/modules', join(directory, 'etc/modules'));
    await assert.rejects(inside(pack(directory, 'tar.gz')), unsafe(/etc\/modules" leads out/));
    assert.deepEqual(await inside(pack(directory, 'deb')), PROGRAM);
  });

  it('leaves nothing on the disk, whatever came of it', async () => {
    const packed = pack(plant(folder(), { 'usr/sbin/nginx': PROGRAM }), 'deb');
    process.env['TMPDIR'] = folder();
    await inside(packed);
    await assert.rejects(inside(forge()));
    assert.deepEqual(readdirSync(process.env['TMPDIR']), []);
  });
});

describe('unpackSource', () => {
  const unpacked = async (bytes: Buffer): Promise<string> => {
    const into = folder();
    await unpackSource({ bytes, what: 'the source' }, into);
    return into;
  };

  for (const ending of ['gz', 'xz']) {
    it(`unpacks a .tar.${ending} without its top directory`, async () => {
      const directory = plant(folder(), {
        'nginx-1.30.4/configure': '#!/bin/sh\n',
        'nginx-1.30.4/src/core/nginx.c': 'int',
      });
      const file = join(folder(), `source.tar.${ending}`);
      execFileSync('tar', ['-C', directory, '-caf', file, 'nginx-1.30.4']);
      const into = await unpacked(readFileSync(file));
      assert.deepEqual(readdirSync(into).sort(), ['configure', 'src']);
      assert.equal(readFileSync(join(into, 'src/core/nginx.c'), 'utf8'), 'int');
    });
  }

  it('keeps links that stay within', async () => {
    const into = await unpacked(
      forge(
        { name: 'top/src/file', content: 'text' },
        link('top/src/beside', 'file'),
        link('top/doc/across', '../src/./file'),
      ),
    );
    assert.equal(readlinkSync(join(into, 'src/beside')), 'file');
    assert.equal(readFileSync(join(into, 'doc/across'), 'utf8'), 'text');
  });

  it('refuses an archive with two directories at its top', async () => {
    const bytes = forge({ name: 'one/config' }, { name: 'other/config' });
    await assert.rejects(unpacked(bytes), unsafe(/the source.*one directory at its top, found 2/));
  });

  for (const [what, member, why] of [...HOSTILE, ...LEADING_OUT]) {
    it(`refuses ${what}, and unpacks nothing of the rest`, async () => {
      const into = folder();
      const bytes = forge({ name: 'top/config', content: 'text' }, member);
      await assert.rejects(unpackSource({ bytes, what: 'the source' }, into), unsafe(why));
      assert.deepEqual(readdirSync(into), []);
    });
  }

  for (const [what, bytes, why] of DAMAGED) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(unpacked(bytes()), unsafe(why));
    });
  }

  it('refuses what would unpack to more than fits', async () => {
    await assert.rejects(unpacked(bomb()), unsafe(/would unpack to 3221225472 bytes/));
  });

  it('does not make anybody but the present user the owner, nor take over the rights in the archive', async () => {
    const into = await unpacked(forge({ name: 'top/config', mode: 0o666, content: 'text' }));
    writeFileSync(join(into, 'reference'), '', { mode: 0o666 });
    const [config, reference] = ['config', 'reference'].map((name) =>
      execFileSync('stat', ['-c', '%a %u', join(into, name)]).toString(),
    );
    assert.equal(config, reference);
  });
});
