import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'nhu-elf-'));
after(() => rmSync(folder, { recursive: true }));

/** The path of a program that the C compiler of this machine makes of `code`. */
export function compiled(name: string, { code, flags = [] }: { code: string; flags?: string[] }): string {
  const path = join(folder, name);
  execFileSync('cc', ['-x', 'c', '-o', path, '-', '-x', 'none', ...flags], { input: code });
  return path;
}

/** What binutils read in a file: libraries in their order, and the numbers of the GLIBC versions that it needs. */
export function readelf(path: string): { libraries: string[]; glibc: string[] } {
  const env = { ...process.env, LC_ALL: 'C' };
  const said = execFileSync('readelf', ['-d', '-V', '-W', path], { encoding: 'utf8', env });
  const all = (pattern: RegExp) => [...said.matchAll(pattern)].map(([, found = '']) => found);
  return { libraries: all(/\(NEEDED\).*\[(.+)\]/g), glibc: all(/Name: GLIBC_([\d.]+) +Flags:/g) };
}

export interface Order {
  wide: boolean;
  little: boolean;
}

export interface Wanted {
  libraries: string[];
  /** The version names that are asked for, library by library. */
  versions: string[][];
  /** What else the dynamic section holds. */
  more?: [tag: number, value: number][];
}

/** Where the parts of a written file lie in it. */
export const AT = { segments: 0x40, dynamic: 0x100, strings: 0x400, versions: 0x800, end: 0x1000 };
/** Where its first byte lies in memory. */
const BASE = 0x40_00_00;

/** A dynamic section, and around it as little as makes an ELF file (elf(5)), in any byte order and word size. */
export function written(order: Order, { libraries, versions, more = [] }: Wanted): Buffer {
  const file = Buffer.alloc(AT.end);
  const put = writer(file, order);
  const names = ['', ...libraries, ...versions.flat()];
  const nameAt = (name: string) => Buffer.byteLength(names.slice(0, names.indexOf(name)).join('\0')) + 1;
  file.write(names.join('\0'), AT.strings);
  writeHeader(file, order);
  writeVersions(
    put,
    versions.map((asked) => asked.map(nameAt)),
  );
  const entries: [tag: number, value: number][] = [
    ...libraries.map((name): [number, number] => [1, nameAt(name)]),
    ...more,
    [5, BASE + AT.strings],
    [0x6ffffffe, BASE + AT.versions],
    [0x6fffffff, versions.length],
  ];
  for (const [index, pair] of entries.entries()) put.words(AT.dynamic + index * (order.wide ? 16 : 8), pair);
  return file;
}

function writeHeader(file: Buffer, order: Order): void {
  const { wide, little } = order;
  const put = writer(file, order);
  const size = wide ? 56 : 32;
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  put.words(wide ? 32 : 28, [AT.segments]);
  put.u16(wide ? 54 : 42, size);
  put.u16(wide ? 56 : 44, 2);
  const segment = (at: number, [type, offset, length]: [type: number, offset: number, length: number]): void => {
    const address = BASE + offset;
    put.u32(at, type);
    put.words(at + (wide ? 8 : 4), [offset, address, address, length, length]);
  };
  segment(AT.segments, [1, 0, AT.end]);
  segment(AT.segments + size, [2, AT.dynamic, AT.strings - AT.dynamic]);
}

/** One record of 16 bytes a library, and behind each as many more as it has versions. */
function writeVersions(put: ReturnType<typeof writer>, versions: number[][]): void {
  let at = AT.versions;
  for (const asked of versions) {
    put.u16(at + 2, asked.length);
    put.u32(at + 8, 16);
    put.u32(at + 12, 16 * (asked.length + 1));
    at += 16;
    for (const name of asked) {
      put.u32(at + 8, name);
      put.u32(at + 12, 16);
      at += 16;
    }
  }
}

function writer(file: Buffer, { wide, little }: Order) {
  const put = (at: number, value: number, bytes: 2 | 4) =>
    little ? file.writeUIntLE(value, at, bytes) : file.writeUIntBE(value, at, bytes);
  const long = (at: number, value: number) =>
    little ? file.writeBigUInt64LE(BigInt(value), at) : file.writeBigUInt64BE(BigInt(value), at);
  return {
    u16: (at: number, value: number) => void put(at, value, 2),
    u32: (at: number, value: number) => void put(at, value, 4),
    /** Words of the machine, one behind the other. */
    words: (at: number, values: number[]) => {
      for (const [index, value] of values.entries()) {
        if (wide) long(at + 8 * index, value);
        else put(at + 4 * index, value, 4);
      }
    },
  };
}
