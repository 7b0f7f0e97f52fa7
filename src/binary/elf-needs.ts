import { compareVersions } from '../nginx/versions.ts';
import { type Layout, layoutOf, type Segment, SEGMENT, segmentsOf } from './elf-layout.ts';

/** What a program asks of the machine that runs it. */
export interface Needs {
  /** Sonames such as `libssl.so.3`, in the order of the file. */
  libraries: string[];
  /** The highest `GLIBC_x.y` of its symbols, as `x.y`; undefined where it needs none. */
  glibc?: string;
  /** It names directories of its own where they may lie. */
  rpath: boolean;
}

const NOTHING: Needs = { libraries: [], rpath: false };

/** Tags of the dynamic section (elf(5)). */
const TAG = { end: 0, needed: 1, strings: 5, rpath: 15, runpath: 29, versions: 0x6ffffffe, versionCount: 0x6fffffff };

/** Reads the dynamic section of a whole ELF file that `readElf` accepts; of a static or damaged one, nothing. */
export function readNeeds(file: Buffer): Needs {
  try {
    return dynamicNeeds(file, layoutOf(file));
  } catch (error) {
    // A table that leads out of the file. Whether such a program runs, the target's own try tells.
    if (error instanceof RangeError) return NOTHING;
    throw error;
  }
}

function dynamicNeeds(file: Buffer, layout: Layout): Needs {
  const segments = segmentsOf(file, layout) ?? [];
  const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
  if (dynamic === undefined) return NOTHING;
  const entries = dynamicEntries(dynamic, layout);
  const valueOf = (tag: number) => entries.find((entry) => entry.tag === tag)?.value ?? 0;
  const strings = offsetOf(valueOf(TAG.strings), segments);
  const textAt = (index: number) => cString(file, strings + index);
  const libraries = entries.filter(({ tag }) => tag === TAG.needed).map(({ value }) => textAt(value));
  const count = valueOf(TAG.versionCount);
  const first = count === 0 ? 0 : offsetOf(valueOf(TAG.versions), segments);
  const versions = neededVersions({ first, count, layout }).map(textAt);
  const glibc = versions
    .flatMap((name) => /^GLIBC_(\d+(?:\.\d+)*)$/.exec(name)?.[1] ?? [])
    .toSorted(compareVersions)
    .at(-1);
  const rpath = entries.some(({ tag }) => tag === TAG.rpath || tag === TAG.runpath);
  return { libraries, rpath, ...(glibc === undefined ? {} : { glibc }) };
}

function dynamicEntries({ offset, size }: Segment, { wide, word }: Layout): { tag: number; value: number }[] {
  const width = wide ? 8 : 4;
  const entries: { tag: number; value: number }[] = [];
  for (let at = offset; at < offset + size; at += 2 * width) {
    const tag = word(at);
    if (tag === TAG.end) break;
    entries.push({ tag, value: word(at + width) });
  }
  return entries;
}

const MOST_VERSIONS = 4096;

/** String indices of all version names that are asked for (Elf64_Verneed with its Elf64_Vernaux; same in 32 bits). */
function neededVersions({ first, count, layout }: { first: number; count: number; layout: Layout }): number[] {
  const { u16, u32 } = layout;
  const names: number[] = [];
  for (let record = first, left = count; left > 0; left -= 1) {
    let auxiliary = record + u32(record + 8);
    for (let more = u16(record + 2); more > 0; more -= 1) {
      names.push(u32(auxiliary + 8));
      auxiliary += u32(auxiliary + 12);
    }
    // A damaged count would have us walk in circles.
    if (names.length > MOST_VERSIONS) throw new RangeError('more versions than any program needs');
    const next = u32(record + 12);
    if (next === 0) break;
    record += next;
  }
  return names;
}

/** Where in the file the byte lies that is loaded at `address`. */
function offsetOf(address: number, segments: Segment[]): number {
  const home = segments.find(
    (segment) =>
      segment.type === SEGMENT.load && address >= segment.address && address < segment.address + segment.size,
  );
  if (home === undefined) throw new RangeError(`no segment holds the address ${address}`);
  return home.offset + address - home.address;
}

function cString(file: Buffer, start: number): string {
  const end = file.indexOf(0, start);
  if (end < 0) throw new RangeError('a name without an end');
  return file.toString('latin1', start, end);
}
