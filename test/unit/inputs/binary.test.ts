import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { readElf } from '../../../src/binary/elf.ts';
import { ask, complaints, elf, fileWith, LOCAL, NGINX } from './support.ts';

const FOLDER = dirname(NGINX);

describe('readElf', () => {
  it('reads class, machine and loader of a real program', () => {
    const program = readElf(readFileSync(process.execPath).subarray(0, 65_536));
    assert.ok(typeof program === 'object');
    assert.equal(program.class, 64);
    assert.match(program.interpreter ?? '', /ld/);
  });

  it('reads a static program, and one of another byte order and width', () => {
    assert.deepEqual(readElf(elf()), { class: 64, machine: 'x86_64' });
    const big = elf((header) => {
      header.fill(0, 16);
      header[4] = 1;
      header[5] = 2;
      header.writeUInt16BE(2, 16);
      header.writeUInt16BE(999, 18);
      header.writeUInt32BE(0x1000, 24);
      header.writeUInt32BE(64, 28);
      header.writeUInt16BE(32, 42);
      header.writeUInt16BE(1, 44);
      header.writeUInt32BE(1, 64);
    });
    assert.deepEqual(readElf(big), { class: 32, machine: 'machine 999' });
  });

  const refused: [string, Buffer | string, RegExp][] = [
    ['an empty file', '', /^an empty file$/],
    ['a script', '#!/bin/sh\nexec nginx', /^a script/],
    ['an error page', '<!DOCTYPE html><title>404', /^an HTML page/],
    ['an error page without a type', '\n <html>', /^an HTML page/],
    ['a Windows program', 'MZ\x90\0', /^a Windows program/],
    ['a gzip archive', Buffer.from('1f8b0800', 'hex'), /^an archive \(gzip\)/],
    ['an xz archive', Buffer.from('fd377a585a00', 'hex'), /^an archive \(xz\)/],
    ['a Debian package', '!<arch>\ndebian-binary   ', /^a Debian package/],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\n', /^a Git LFS pointer/],
    ['a text', 'nginx version: nginx/1.30.4\n', /^a text file$/],
    ['other bytes', Buffer.from([1, 2, 3, 255]), /^not an ELF file$/],
    ['half a header', elf().subarray(0, 40), /cut off/],
    ['an unknown class', elf((header) => (header[4] = 7)), /damaged/],
    ['an unknown type', elf((header) => header.writeUInt16LE(9, 16)), /damaged/],
    ['an object file', elf((header) => header.writeUInt16LE(1, 16)), /an object file/],
    ['a core dump', elf((header) => header.writeUInt16LE(4, 16)), /a core dump/],
    ['a library', elf((header) => header.writeUInt16LE(3, 16) && header.writeBigUInt64LE(0n, 24)), /a shared library/],
    ['no segments', elf((header) => header.writeUInt16LE(0, 56)), /nothing to load/],
    ['missing segments', elf((header) => header.writeUInt16LE(2, 56)), /cut off/],
    ['segments at the end of the world', elf((header) => header.writeBigUInt64LE(2n ** 64n - 1n, 32)), /cut off/],
  ];
  for (const [what, head, why] of refused) {
    it(`recognises ${what}`, () => {
      const answer = readElf(Buffer.from(head));
      assert.ok(typeof answer === 'string', JSON.stringify(answer));
      assert.match(answer, why);
    });
  }

  it('never fails, whatever byte of a header is wrong', () => {
    const real = readFileSync(process.execPath).subarray(0, 4096);
    for (let offset = 4; offset < 400; offset++) {
      const broken = Buffer.from(real);
      broken[offset] = 0xff;
      readElf(broken);
      readElf(real.subarray(0, offset));
    }
  });
});

describe('binary', () => {
  it('is taken with a path from the working directory, through a link, and without the right to execute', async () => {
    const link = join(FOLDER, 'link');
    symlinkSync(NGINX, link);
    assert.equal(await complaints('binary', relative(process.cwd(), link)), '');
    const { parsed } = await ask({ ...LOCAL, binary: relative(process.cwd(), NGINX) });
    assert.deepEqual(parsed?.config.binary, { kind: 'file', path: NGINX });
  });

  it('must be there, be a file, and be no pipe or device', async () => {
    assert.match(await complaints('binary', '/no/such/nginx'), /^there is no file "\/no\/such\/nginx"$/);
    assert.match(await complaints('binary', `${NGINX}/nginx`), /not a directory/);
    assert.match(await complaints('binary', FOLDER), /found the directory/);
    assert.match(await complaints('binary', '/dev/zero'), /found a pipe, socket or device/);
    const pipe = join(FOLDER, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.match(await complaints('binary', pipe), /found a pipe, socket or device/);
    const loop = join(FOLDER, 'loop');
    symlinkSync(loop, loop);
    assert.match(await complaints('binary', loop), /circle of symbolic links/);
  });

  it('must be readable', { skip: process.getuid?.() === 0 ? 'root reads everything' : false }, async () => {
    const hidden = fileWith('hidden', elf());
    execFileSync('chmod', ['0', hidden]);
    assert.match(await complaints('binary', hidden), /may not be read/);
  });

  it('must be a program, and the answer says what else it is', async () => {
    const script = fileWith('wrapper', '#!/bin/sh\n');
    assert.match(await complaints('binary', script), /^expected an nginx for Linux \(an ELF file\), "\S+" is a script/);
  });

  for (const path of ['~/nginx', 'a\nb', 'x'.repeat(5000)]) {
    it(`refuses the path ${JSON.stringify(path.slice(0, 20))}`, async () => {
      assert.notEqual(await complaints('binary', path), '');
    });
  }

  it('must have the digest that was given; a wrong one is shown beside the right one', async () => {
    const digest = createHash('sha256').update(elf()).digest('hex');
    const { parsed } = await ask({ ...LOCAL, sha256: digest.toUpperCase() });
    assert.deepEqual(parsed?.config.binary, { kind: 'file', path: NGINX, sha256: digest });
    const wrong = await complaints('sha256', 'ab'.repeat(32));
    assert.ok(wrong.includes(digest) && wrong.includes('ab'.repeat(32)), wrong);
  });

  for (const command of ['plan', 'status']) {
    it(`is missed by a digest, which warns with ${command}`, async () => {
      const { parsed } = await ask({ command, targets: 'local', sha256: 'ab'.repeat(32) });
      const message = 'is not used: it belongs to one of binary, download-url, nginx-version';
      assert.deepEqual(parsed?.warnings, [{ input: 'sha256', message }]);
    });
  }

  const SOURCES = { binary: NGINX, 'download-url': 'https://h/nginx', 'nginx-version': '1.30.4' };
  for (const [source, value] of Object.entries(SOURCES)) {
    it(`or another source is not missed by a digest beside ${source}, also where nothing is installed`, async () => {
      const { parsed } = await ask({ command: 'status', targets: 'local', sha256: 'ab'.repeat(32), [source]: value });
      assert.deepEqual(parsed?.warnings, []);
    });
  }

  for (const command of ['commit', 'rollback', 'status']) {
    it(`is not looked at by ${command}`, async () => {
      const { parsed } = await ask({ command, targets: 'local', binary: '/no/such/nginx' });
      assert.equal(parsed?.config.binary, undefined);
    });
  }

  it('is needed by upgrade and not by plan', async () => {
    const missing = await ask({ targets: 'local', 'health-url': 'none' });
    assert.match(missing.problems[0]?.message ?? '', /"upgrade" needs the new nginx: give exactly one of binary, /);
    assert.deepEqual((await ask({ command: 'plan', targets: 'local' })).problems, []);
  });

  it('is one of several sources, of which only one may be given', async () => {
    const { problems } = await ask({ ...LOCAL, 'nginx-version': '1.30.4', 'download-url': 'https://h/nginx' });
    assert.match(
      problems.map(({ message }) => message).join('\n'),
      /expected one of binary, download-url, nginx-version; found binary and download-url and nginx-version/,
    );
  });
});
