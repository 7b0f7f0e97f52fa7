import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { describe, it } from 'node:test';
import { layoutOf, segmentsOf } from '../../../src/binary/elf-layout.ts';
import { readNeeds } from '../../../src/binary/elf-needs.ts';
import { elf } from '../inputs/support.ts';
import { AT, compiled, type Order, readelf, written } from './elf-files.ts';

const NOTHING = { libraries: [], rpath: false };
const PROGRAM = '#include <math.h>\nint main(int count, char **words) { return (int)pow(count, 0.5); }\n';
const PLAIN = compiled('plain', { code: PROGRAM, flags: ['-lm'] });
const LOOP = 'void _start(void) { for (;;); }\n';
const LIBRARY = compiled('libown.so', {
  code: 'int own(void) { return 1; }\n',
  flags: ['-shared', '-nostdlib', '-Wl,-soname,libown.so.1'],
});

describe('readNeeds', () => {
  const REAL: [what: string, path: string][] = [
    ['the running program', readlinkSync('/proc/self/exe')],
    ['the shell', realpathSync('/bin/sh')],
    ['a program that was just compiled', PLAIN],
    ['one without a position of its own', compiled('fixed', { code: PROGRAM, flags: ['-lm', '-no-pie'] })],
    [
      'one whose libraries have no versions',
      compiled('unversioned', {
        code: 'int own(void);\nvoid _start(void) { for (;;) own(); }\n',
        flags: ['-nostdlib', '-no-pie', LIBRARY],
      }),
    ],
  ];
  for (const [what, path] of REAL) {
    it(`finds in ${what} what readelf finds there`, () => {
      const { libraries, glibc } = readelf(path);
      const highest = glibc.toSorted((left, right) => left.localeCompare(right, 'en', { numeric: true })).at(-1);
      assert.ok(libraries.length > 0);
      assert.deepEqual(readNeeds(readFileSync(path)), {
        libraries,
        rpath: false,
        ...(highest === undefined ? {} : { glibc: highest }),
      });
    });
  }

  const RUN_PATHS: [what: string, flags: string[]][] = [
    ['new', ['-Wl,--enable-new-dtags']],
    ['old', ['-Wl,--disable-new-dtags']],
  ];
  for (const [what, flags] of RUN_PATHS) {
    it(`notices a run path of the ${what} kind`, () => {
      const path = compiled(`rpath-${what}`, { code: PROGRAM, flags: ['-lm', '-Wl,-rpath,/x', ...flags] });
      assert.deepEqual(readNeeds(readFileSync(path)), { ...readNeeds(readFileSync(PLAIN)), rpath: true });
    });
  }

  it('finds nothing in a static program', () => {
    const fixed = compiled('static', { code: LOOP, flags: ['-nostdlib', '-static'] });
    const movable = compiled('static-pie', { code: LOOP, flags: ['-nostdlib', '-static-pie'] });
    for (const path of [fixed, movable]) assert.deepEqual(readNeeds(readFileSync(path)), NOTHING, path);
    assert.deepEqual(readNeeds(elf()), NOTHING);
  });

  const ORDERS: [what: string, order: Order][] = [
    ['64 bits, little-endian', { wide: true, little: true }],
    ['64 bits, big-endian', { wide: true, little: false }],
    ['32 bits, little-endian', { wide: false, little: true }],
    ['32 bits, big-endian', { wide: false, little: false }],
  ];
  for (const [what, order] of ORDERS) {
    it(`reads ${what}`, () => {
      const libraries = ['libssl.so.3', 'libc.so.6'];
      const file = written(order, { libraries, versions: [['OPENSSL_3.0.0'], ['GLIBC_2.34', 'GLIBC_2.17']] });
      assert.deepEqual(readNeeds(file), { libraries, rpath: false, glibc: '2.34' });
    });
  }

  const VERSIONS: [highest: string | undefined, versions: string[][]][] = [
    ['2.36', [['GLIBC_2.4', 'GLIBC_2.36', 'GLIBC_2.17']]],
    ['2.3.4', [['GLIBC_2.3'], ['GLIBC_2.2.5', 'GLIBC_2.3.4']]],
    ['3.0', [['GLIBC_3.0'], ['GLIBC_2.99']]],
    ['2.34', [['GLIBC_2.34', 'GLIBC_PRIVATE', 'GLIBC_ABI_DT_RELR', 'GLIBC_9.9x', 'XGLIBC_9.9', 'GCC_3.0']]],
    [undefined, [['GLIBC_PRIVATE'], ['GLIBCXX_3.4.30']]],
    [undefined, []],
  ];
  for (const [highest, versions] of VERSIONS) {
    it(`finds ${highest ?? 'none'} to be the highest glibc of ${versions.flat().join(', ') || 'none'}`, () => {
      assert.equal(readNeeds(written({ wide: true, little: true }, { libraries: [], versions })).glibc, highest);
    });
  }

  it('reads no further than the end of the dynamic section', () => {
    const libraries = ['libz.so.1'];
    const ended = written({ wide: true, little: true }, { libraries, versions: [] });
    // An entry behind the one that ends it: another needed library.
    ended.writeBigUInt64LE(1n, AT.dynamic + 5 * 16);
    assert.deepEqual(readNeeds(ended), { libraries, rpath: false });
  });
});

describe('readNeeds of a damaged file', () => {
  const good = { libraries: ['libc.so.6'], versions: [['GLIBC_2.34']] };
  // Behind the one needed library.
  const STRINGS = AT.dynamic + 16;
  const DAMAGED: [what: string, change: (file: Buffer) => unknown][] = [
    ['its strings lie in no segment', (file) => file.writeBigUInt64LE(0x10n, STRINGS + 8)],
    ['it has no strings', (file) => file.writeBigUInt64LE(4n, STRINGS)],
    ['a name begins behind its end', (file) => file.writeBigUInt64LE(0x2000n, AT.dynamic + 8)],
    ['a name begins at the end of the world', (file) => file.writeBigUInt64LE(2n ** 64n - 1n, AT.dynamic + 8)],
    ['a name does not end', (file) => file.fill('x', AT.strings)],
    ['its versions lie in no segment', (file) => file.writeBigUInt64LE(0x10n, STRINGS + 16 + 8)],
    ['a version lies behind its end', (file) => file.writeUInt32LE(0xffffffff, AT.versions + 8)],
    [
      'its versions go round in circles',
      (file) => file.writeUInt16LE(0xffff, AT.versions + 2) + file.writeUInt32LE(0, AT.versions + 16 + 12),
    ],
    ['the dynamic section lies behind its end', (file) => file.writeBigUInt64LE(0x2000n, AT.segments + 56 + 8)],
    ['the segments lie behind its end', (file) => file.writeBigUInt64LE(0x2000n, 32)],
    ['the segments are too many', (file) => file.writeUInt16LE(0xffff, 56)],
    ['the segments are too small', (file) => file.writeUInt16LE(8, 54)],
  ];
  for (const [what, change] of DAMAGED) {
    it(`finds nothing where ${what}`, () => {
      const file = written({ wide: true, little: true }, good);
      assert.deepEqual(readNeeds(file).libraries, good.libraries);
      change(file);
      assert.deepEqual(readNeeds(file), NOTHING);
    });
  }

  const COUNTS: [count: bigint, glibc: string | undefined][] = [
    [0n, undefined],
    [2n, '2.34'],
    [0xffff_ffffn, '2.34'],
    [2n ** 64n - 1n, '2.34'],
  ];
  for (const [count, glibc] of COUNTS) {
    it(`finds the versions that are there, and at once, where it tells of ${count} libraries with versions`, () => {
      const file = written({ wide: true, little: true }, good);
      file.writeBigUInt64LE(count, STRINGS + 2 * 16 + 8);
      const started = performance.now();
      const needs = readNeeds(file);
      assert.ok(performance.now() - started < 1000);
      assert.deepEqual([needs.libraries, needs.glibc], [good.libraries, glibc]);
    });
  }

  it('needs no versions where it has no table of them', () => {
    const file = written({ wide: true, little: true }, good);
    // The end of the dynamic section, where the table of versions and its length were named.
    file.writeBigUInt64LE(0n, STRINGS + 16);
    assert.deepEqual(readNeeds(file), { libraries: good.libraries, rpath: false });
  });

  it('finds all or nothing, wherever the file is cut off', () => {
    const whole = readFileSync(PLAIN);
    const all = readNeeds(whole);
    for (let length = 0; length < whole.length; length += 5) {
      const needs = readNeeds(whole.subarray(0, length));
      assert.deepEqual(needs, needs.libraries.length === 0 ? NOTHING : all, `of ${length} bytes`);
    }
  });

  it('never fails, and never takes long, whatever byte is wrong', () => {
    const file = readFileSync(PLAIN);
    for (const [offset, byte] of Buffer.from(file).entries()) {
      const started = performance.now();
      for (const bits of [0xff, 0x80, 0x01]) {
        file[offset] = byte ^ bits;
        assert.doesNotThrow(() => readNeeds(file), `byte ${offset} xor ${bits}`);
      }
      file[offset] = byte;
      assert.ok(performance.now() - started < 1000, `byte ${offset}`);
    }
  });
});

describe('segmentsOf', () => {
  it('lists the segments with their place in the file and in memory', () => {
    const file = written({ wide: false, little: false }, { libraries: [], versions: [] });
    assert.deepEqual(segmentsOf(file, layoutOf(file)), [
      { type: 1, offset: 0, address: 0x40_00_00, size: AT.end },
      { type: 2, offset: AT.dynamic, address: 0x40_01_00, size: AT.strings - AT.dynamic },
    ]);
  });

  it('answers null where the file ends before their table does', () => {
    const file = written({ wide: true, little: true }, { libraries: [], versions: [] });
    const end = AT.segments + 2 * 56;
    assert.equal(segmentsOf(file.subarray(0, end), layoutOf(file))?.length, 2);
    const cut = file.subarray(0, end - 1);
    assert.equal(segmentsOf(cut, layoutOf(cut)), null);
  });
});
