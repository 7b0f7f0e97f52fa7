import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Needs } from '../../../../src/binary/elf-needs.ts';
import type { Candidate } from '../../../../src/host/preflight/check.ts';
import { judgeCandidate } from '../../../../src/host/preflight/preflight.ts';
import { factsOf, type Raw } from '../recorded.ts';
import { allowing, codes, only, STRICT } from './rules.ts';

const MUSL = '/lib/ld-musl-x86_64.so.1';
const GLIBC = '/lib64/ld-linux-x86-64.so.2';
/** What the helper tells of an Alpine host. */
const ALPINE: Raw = { libc: '', libraries: 'ld-musl-x86_64.so.1 libc.musl-x86_64.so.1 libz.so.1 ' };
const ON = (version: string): Raw => ({ libc: `glibc ${version}` });

function needing(needs: Partial<Needs>): Partial<Candidate> {
  return { interpreter: GLIBC, needs: { libraries: ['libc.so.6'], rpath: false, ...needs } };
}

/** Of the file alone: nothing is known of the build. */
function judged(file: Partial<Candidate>, { host = {}, rules = STRICT }: { host?: Raw; rules?: typeof STRICT } = {}) {
  const build = { flavour: '', version: '', arguments: [] };
  const candidate = { sha256: '1b'.repeat(32), size: 1_000_000, build, machine: 'x86_64', modules: [], ...file };
  return judgeCandidate(candidate, factsOf('systemd', host), rules);
}

describe('libc', () => {
  const COMPATIBLE: [needed: string, host: string][] = [
    ['2.36', '2.36'],
    ['2.4', '2.36'],
    ['2.2.5', '2.36'],
    ['2.36', '2.100'],
    ['2.99', '3.0'],
  ];
  for (const [needed, host] of COMPATIBLE) {
    it(`is fine where glibc ${needed} is needed and ${host} is there`, () => {
      assert.deepEqual(codes(judged(needing({ glibc: needed }), { host: ON(host) })), []);
    });
  }

  const TOO_OLD: [needed: string, host: string][] = [
    ['2.36', '2.35'],
    ['2.36', '2.4'],
    ['2.100', '2.99'],
    ['3.0', '2.99'],
  ];
  for (const [needed, host] of TOO_OLD) {
    it(`refuses where glibc ${needed} is needed and ${host} is there`, () => {
      const { code, message, fix } = only(judged(needing({ glibc: needed }), { host: ON(host) }));
      assert.equal(code, 'libc');
      assert.equal(message, `the new binary needs glibc ${needed}, the host has ${host}`);
      assert.match(fix, /^Build it on the distribution and release of the host/);
    });
  }

  it('is fine where the host has musl and the file was linked for it', () => {
    const needs = { libraries: ['libz.so.1', 'libc.musl-x86_64.so.1'], rpath: false };
    assert.deepEqual(codes(judged({ interpreter: MUSL, needs }, { host: ALPINE })), []);
  });

  it('refuses what was linked for musl on glibc, whatever else it needs', () => {
    const needs = { libraries: ['libz.so.1', 'libc.musl-x86_64.so.1'], rpath: false };
    const finding = only(judged({ interpreter: MUSL, needs }));
    assert.deepEqual(
      [finding.code, finding.message],
      ['libc', 'the new binary was linked for musl, the host has glibc 2.36'],
    );
  });

  it('is fine for a static file, wherever it was made', () => {
    for (const host of [{}, ALPINE]) {
      assert.deepEqual(codes(judged({ needs: { libraries: [], rpath: false } }, { host })), []);
      assert.deepEqual(codes(judged({}, { host })), []);
    }
  });

  it('cannot be accepted, no more than a missing library', () => {
    const file = needing({ glibc: '2.99', libraries: ['libnone.so.1'] });
    const { refusals, warnings } = judged(file, { rules: allowing('libc', 'missing-library') });
    assert.deepEqual(codes({ refusals, warnings: [] }), ['libc', 'missing-library']);
    assert.deepEqual(warnings, []);
  });

  it('matters where a run path is given, too', () => {
    assert.equal(only(judged(needing({ glibc: '2.99', rpath: true }))).code, 'libc');
  });
});

describe('missing-library', () => {
  it('names all that are missing, in the order of the file, and none that is there', () => {
    const libraries = ['libssl.so.1.1', 'libz.so.1', 'libcrypto.so.1.1', 'libpcre2-8.so.0', 'libc.so.6'];
    const { code, message } = only(judged(needing({ libraries })));
    assert.equal(code, 'missing-library');
    assert.match(message, /^the new binary needs libssl\.so\.1\.1, libcrypto\.so\.1\.1, which the loader of the host/);
  });

  it('takes a name for another one where only its beginning or end is the same', () => {
    const libraries = ['libssl.so', 'libz.so.1.2', 'ssl.so.3'];
    const { message } = only(judged(needing({ libraries }), { host: { libraries: 'libssl.so.3 libz.so.1 ' } }));
    assert.match(message, /needs libssl\.so, libz\.so\.1\.2, ssl\.so\.3, which/);
  });

  it('leaves the C library and its loader to the check of the C library', () => {
    const libraries = ['libc.so.6', 'ld-linux-x86-64.so.2', 'libc.musl-x86_64.so.1'];
    assert.deepEqual(codes(judged(needing({ libraries }), { host: { libraries: 'libz.so.1 ' } })), []);
  });

  it('misses a library whose name only begins like theirs', () => {
    const { message } = only(judged(needing({ libraries: ['libcrypt.so.2'] })));
    assert.match(message, /needs libcrypt\.so\.2, which/);
  });

  for (const libraries of ['', ' ']) {
    it(`is not looked for where the loader of the host told ${JSON.stringify(libraries)}`, () => {
      const host = { libraries };
      assert.deepEqual(codes(judged(needing({ libraries: ['libz.so.1', 'libnone.so.1'] }), { host })), []);
      assert.equal(only(judged(needing({ libraries: ['libz.so.1'], glibc: '2.99' }), { host })).code, 'libc');
    });
  }

  it('is reported beside another C library', () => {
    const file = needing({ glibc: '2.36', libraries: ['libcrypt.so.1', 'libz.so.1', 'libc.so.6'] });
    assert.deepEqual(codes(judged(file, { host: ALPINE })), ['libc', 'missing-library']);
  });
});
