import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readToolchain, type Toolchain } from '../../../src/build/toolchain.ts';
import { folder, restoring } from '../obtain/support.ts';

interface Tools {
  compiler?: string;
  linker?: string;
  /** What the preprocessor makes of the libraries' headers. */
  headers?: string;
  /** Exit code where the compiler is asked to map prefixes. */
  mapping?: number;
}

const TOOLS = { compiler: 'gcc version 12.2.0', linker: 'GNU ld 2.40', headers: 'OpenSSL 3.0.15', mapping: 0 };

/** Reads a toolchain whose programs say this. */
async function toolchainOf(changes: Tools): Promise<Toolchain> {
  const { compiler, linker, headers, mapping } = { ...TOOLS, ...changes };
  const directory = folder();
  const program = (name: string, body: string): void =>
    writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  program(
    'cc',
    `case "$*" in -v) echo '${compiler}' >&2 ;; *prefix-map*) exit ${mapping} ;; "-E -P "*) echo '${headers}' ;; esac`,
  );
  program('ld', `echo '${linker}'`);
  process.env['PATH'] = directory;
  return readToolchain();
}

describe('readToolchain', () => {
  restoring('PATH', 'TMPDIR');

  it('says the same twice of a machine that stays as it is', async () => {
    assert.equal((await readToolchain()).fingerprint, (await readToolchain()).fingerprint);
  });

  it('says the same of programs that say the same', async () => {
    assert.equal((await toolchainOf({})).fingerprint, (await toolchainOf({})).fingerprint);
  });

  const changed: [what: string, tools: Tools][] = [
    ['another compiler', { compiler: 'gcc version 14.2.0' }],
    ['another linker', { linker: 'GNU ld 2.44' }],
    ['other headers of a library', { headers: 'OpenSSL 3.5.4' }],
  ];
  for (const [what, tools] of changed) {
    it(`says something else with ${what}`, async () => {
      assert.notEqual((await toolchainOf(tools)).fingerprint, (await toolchainOf({})).fingerprint);
    });
  }

  it('has the compiler take the directory of the build out, where it can', async () => {
    assert.equal((await toolchainOf({})).prefixMap('/tmp/build'), '-ffile-prefix-map=/tmp/build=.');
    assert.equal((await toolchainOf({ mapping: 1 })).prefixMap('/tmp/build'), '');
  });

  it('leaves it to configure to name what is missing', async () => {
    process.env['PATH'] = folder();
    const { fingerprint, prefixMap } = await readToolchain();
    assert.ok(fingerprint.includes(process.arch), fingerprint);
    assert.equal(prefixMap('/tmp/build'), '');
  });

  it('keeps what this machine says of its distribution', async () => {
    const file = '/etc/os-release';
    assert.equal((await toolchainOf({})).osRelease, existsSync(file) ? readFileSync(file, 'utf8') : '');
  });

  it('leaves nothing on the disk', async () => {
    const place = folder();
    process.env['TMPDIR'] = place;
    await readToolchain();
    assert.deepEqual(readdirSync(place), []);
  });
});
