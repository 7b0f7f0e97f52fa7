import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { kindOf, nginxIn } from '../../../src/obtain/archive.ts';
import { forge, type Kind, link, type Member, pack } from './archives.ts';
import { bomb, DAMAGED, HOSTILE, PROGRAM, unsafe } from './hostile-archives.ts';
import { folder, plant, refused, restoring } from './support.ts';

/** What is packed beside a program; a directory of that name among it. */
const OTHERS = { 'etc/default/nginx': '# options\n', 'usr/share/doc/nginx/copyright': '', 'README with blanks': '' };
const ELF = '\x7fELF program';
const NGINX: Member = { name: 'usr/sbin/nginx', mode: 0o755, content: ELF };
const KINDS: Kind[] = ['tar.gz', 'tar.xz', 'deb'];

const inside = (bytes: Buffer): Promise<Buffer> => nginxIn({ bytes, what: 'the archive' });

/** A folder for PATH with these programs of the system. */
function holding(...programs: string[]): string {
  const directory = folder();
  const find = (name: string): string =>
    execFileSync('sh', ['-c', `command -v ${name}`])
      .toString()
      .trim();
  for (const name of programs) symlinkSync(find(name), join(directory, name));
  return directory;
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
  restoring('TMPDIR', 'PATH');

  for (const kind of KINDS) {
    it(`gives the one nginx among other files of a .${kind}`, async () => {
      const bytes = pack(plant(folder(), { ...OTHERS, 'usr/sbin/nginx': PROGRAM }), kind);
      assert.deepEqual(await inside(bytes), PROGRAM);
    });

    it(`finds none in a .${kind} without one`, async () => {
      const bytes = pack(plant(folder(), { 'usr/share/doc/nginx/copyright': '', 'usr/sbin/nginx-debug': '' }), kind);
      await assert.rejects(inside(bytes), unsafe(/the archive.*no program that is called nginx/));
    });

    it(`tells it from scripts and settings of that name in a .${kind}`, async () => {
      const directory = plant(folder(), { ...OTHERS, 'etc/init.d/nginx': '#!/bin/sh\n', 'usr/sbin/nginx': PROGRAM });
      chmodSync(join(directory, 'etc/init.d/nginx'), 0o755);
      assert.deepEqual(await inside(pack(directory, kind)), PROGRAM);
    });

    it(`does not choose between two in a .${kind}`, async () => {
      const bytes = pack(plant(folder(), { 'usr/sbin/nginx': PROGRAM, 'usr/local/sbin/nginx': PROGRAM }), kind);
      await assert.rejects(inside(bytes), unsafe(/several: (?=.*usr\/sbin\/nginx)(?=.*usr\/local\/sbin\/nginx)/));
    });
  }

  it('gives one that lost its right to be executed', async () => {
    const script: Member = { name: 'etc/init.d/nginx', mode: 0o755, content: '#!/bin/sh\n' };
    assert.equal(String(await inside(forge(script, { ...NGINX, mode: 0o644 }))), ELF);
  });

  it('takes nothing else for a program, although it has the name and may be executed', async () => {
    for (const content of ['', '#!/bin/sh\n', 'ELF', 'MZ'])
      await assert.rejects(inside(forge({ ...NGINX, content })), unsafe(/no program that is called nginx/));
  });

  it('looks into a few of that name, not into any number', async () => {
    const scripts = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `${at}/nginx`, content: 'x' }));
    assert.equal(String(await inside(forge(NGINX, ...scripts(15)))), ELF);
    await assert.rejects(inside(forge(NGINX, ...scripts(16))), unsafe(/many files that are called nginx/));
  });

  const odd: [what: string, name: string][] = [
    ['an arrow', 'usr/a -> b/nginx'],
    ['a link to', 'usr/a link to b/nginx'],
    ['blanks and quotes', `usr/it's "here"/nginx`],
    ['letters of another language', 'usr/päckchen/nginx'],
    ['what would be a pattern', '*/nginx'],
    ['a hyphen behind its dot', './--to-command=id /nginx'],
  ];
  for (const [what, name] of odd) {
    it(`gives one with ${what} in its path`, async () => {
      const bytes = forge({ ...NGINX, name }, { name: 'usr/sbin/other', content: 'other' });
      assert.equal(String(await inside(bytes)), ELF);
    });
  }

  it('does not let the name of its owner move the columns', async () => {
    assert.equal(String(await inside(forge({ ...NGINX, owner: 'x 5 2026-01-01 12:00 y' }))), ELF);
  });

  it('hands no name to tar that would be an option there', async () => {
    const trace = join(folder(), 'trace');
    for (const name of [`--use-compress-program=sh -c "touch ${trace}" /nginx`, `--to-command=touch ${trace} /nginx`]) {
      await assert.rejects(inside(forge({ ...NGINX, name })), unsafe(/is called like an option/));
      assert.equal(existsSync(trace), false);
    }
  });

  for (const [what, entries] of [
    ['the very same name', [NGINX, NGINX]],
    [
      'the name of its directory',
      [
        { ...NGINX, name: 'top/nginx' },
        { ...NGINX, name: 'top/nginx/nginx' },
      ],
    ],
  ] as const) {
    it(`does not choose between two of which one has ${what}`, async () => {
      await assert.rejects(inside(forge(...entries)), unsafe(/./));
    });
  }

  const tools: [program: string, kind: Kind, others: string[]][] = [
    ['tar', 'tar.gz', []],
    ['xz', 'tar.xz', ['tar']],
    ['dpkg-deb', 'deb', ['tar']],
  ];
  for (const [program, kind, others] of tools) {
    it(`says of a machine without ${program} that this is missing, not that a .${kind} is damaged`, async () => {
      const bytes = pack(plant(folder(), { 'usr/sbin/nginx': PROGRAM }), kind);
      process.env['PATH'] = holding(...others);
      const why = new RegExp(`this machine has no ${program},`);
      await assert.rejects(inside(bytes), refused('build-dependency', why));
    });
  }

  it('does not follow a link of that name, not even within', async () => {
    const bytes = forge({ ...NGINX, name: 'usr/sbin/nginx-1.30' }, link('usr/sbin/nginx', 'nginx-1.30'));
    await assert.rejects(inside(bytes), unsafe(/usr\/sbin\/nginx in it is no plain file/));
  });

  for (const [what, member, why] of HOSTILE) {
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
    symlinkSync('../usr/share/nginx', join(directory, 'etc/up'));
    await assert.rejects(inside(pack(directory, 'tar.gz')), unsafe(/etc\/(?:modules|up)" leads upwards/));
    assert.deepEqual(await inside(pack(directory, 'deb')), PROGRAM);
  });

  it('does not follow a link of that name in a package either', async () => {
    const directory = plant(folder(), { 'usr/sbin/nginx': PROGRAM, 'usr/lib/other/file': '' });
    symlinkSync('/usr/sbin/nginx', join(directory, 'usr/lib/other/nginx'));
    await assert.rejects(inside(pack(directory, 'deb')), unsafe(/usr\/lib\/other\/nginx in it is no plain file/));
  });

  it('leaves nothing on the disk, whatever came of it', async () => {
    const packed = pack(plant(folder(), { 'usr/sbin/nginx': PROGRAM }), 'deb');
    process.env['TMPDIR'] = folder();
    await inside(packed);
    await assert.rejects(inside(forge()));
    assert.deepEqual(readdirSync(process.env['TMPDIR']), []);
  });
});
