import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { encoded, loadBinary, newBinary } from '../../../src/binary/new-binary.ts';
import { elf, fileWith } from '../inputs/support.ts';
import { folder } from '../obtain/support.ts';

const SAID = 'nginx version: nginx/1.26.3\nbuilt by gcc 12\nconfigure arguments: --prefix=/etc/nginx --with-threads';

function program(name: string, content: string | Buffer): string {
  const path = fileWith(name, content);
  chmodSync(path, 0o755);
  return path;
}

/** What stands for a real nginx: it says the same to `-V`, on the same stream. */
function nginx(name: string, behaviour = `[ "$*" = -V ] && printf '%s\\n' '${SAID}' >&2`): string {
  return program(name, `#!/bin/sh\n${behaviour}\n`);
}

describe('loadBinary', () => {
  it('tells the digest, the size and what the file says of itself', async () => {
    const path = nginx('good');
    const binary = await loadBinary(path);
    assert.equal(binary.path, path);
    assert.equal(binary.size, binary.bytes.length);
    assert.equal(binary.sha256, createHash('sha256').update(binary.bytes).digest('hex'));
    assert.deepEqual(binary.build, {
      flavour: 'nginx',
      version: '1.26.3',
      arguments: ['--prefix=/etc/nginx', '--with-threads'],
    });
  });

  for (const [number, machine] of [
    [62, 'x86_64'],
    [183, 'aarch64'],
    [243, 'riscv64'],
  ] as const) {
    it(`reads from the ELF header that a file is for ${machine}`, async () => {
      const bytes = elf((header) => header.writeUInt16LE(number, 18));
      assert.equal((await loadBinary(program(machine, bytes))).machine, machine);
    });
  }

  it('leaves a machine open that has no name here', async () => {
    const bytes = elf((header) => header.writeUInt16LE(105, 18));
    assert.equal((await loadBinary(program('unnamed', bytes))).machine, undefined);
  });

  it('knows no version of a file that this machine cannot run', async () => {
    const binary = await loadBinary(
      program(
        'foreign',
        elf((header) => header.writeUInt16LE(243, 18)),
      ),
    );
    assert.deepEqual(binary.build, { flavour: '', version: '', arguments: [] });
    assert.deepEqual([binary.size, binary.machine], [120, 'riscv64']);
  });

  it('never runs a file of another machine, which a shell would take for a script', async () => {
    const mark = `${fileWith('mark', '')}-made`;
    const script = Buffer.from(`\n>${mark}\n`);
    const header = elf((bytes) => bytes.writeUInt16LE(243, 18));
    await loadBinary(program('shell-bait', Buffer.concat([header, script])));
    assert.equal(existsSync(mark), false);
  });

  it('knows no version of a file that may not be executed, that fails, or that says something else', async () => {
    const paths = [
      fileWith('plain', elf()),
      nginx('fails', `printf '%s\\n' '${SAID}' >&2; exit 127`),
      nginx('other', 'echo "OpenSSL 3.0.2"'),
    ];
    for (const path of paths) assert.equal((await loadBinary(path)).build.version, '', path);
  });

  it('asks the file with nothing of this environment but a plain PATH', async () => {
    const told = nginx('told', `echo "nginx version: nginx/1.0.0 \${HOME-none} configure arguments: $PATH"`);
    const { build } = await loadBinary(told);
    assert.deepEqual(build.arguments, ['/usr/sbin:/usr/bin:/sbin:/bin']);
  });

  it('asks a file whose path has blanks and quotes', async () => {
    assert.equal((await loadBinary(nginx(`with a "blank" it's`))).build.version, '1.26.3');
  });

  it('rejects where the file cannot be read, and names it', async () => {
    await assert.rejects(loadBinary('/nonexistent/nginx'), /ENOENT.*\/nonexistent\/nginx/);
  });
});

describe('newBinary', () => {
  it('runs the bytes that were found to be right, whatever lies at the path by now, and leaves no copy of them', async () => {
    const mark = `${fileWith('swapped-mark', '')}-made`;
    const path = nginx('swapped', `>'${mark}'`);
    const right = Buffer.from(`#!/bin/sh\nprintf '%s\\n' '${SAID}' >&2\n`);
    const runner = folder();
    const before = process.env['RUNNER_TEMP'];
    process.env['RUNNER_TEMP'] = runner;
    try {
      const binary = await newBinary({ path, nginx: right, modules: [] });
      assert.deepEqual([binary.path, binary.build.version], [path, '1.26.3']);
    } finally {
      if (before === undefined) delete process.env['RUNNER_TEMP'];
      else process.env['RUNNER_TEMP'] = before;
    }
    assert.deepEqual([existsSync(mark), readdirSync(runner)], [false, []]);
  });
});

describe('encoded', () => {
  const bytes = Buffer.concat([randomBytes(600_000), Buffer.alloc(400_000)]);
  const build = { flavour: '', version: '', arguments: [] };
  const binary = { path: '', sha256: '', blake2b: '', size: bytes.length, build, bytes, modules: [] };

  it('gives the bytes as they are', async () => {
    assert.equal(await encoded(binary, 'none'), bytes);
  });

  it('packs them once, for however many hosts', async () => {
    const packed = await encoded(binary, 'gzip');
    assert.ok(packed.length < 700_000);
    assert.deepEqual(gunzipSync(packed), bytes);
    assert.equal(await encoded(binary, 'gzip'), packed);
  });
});
