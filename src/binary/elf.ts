import { type Layout, layoutOf, type Segment, SEGMENT, segmentsOf } from './elf-layout.ts';

/** What an ELF header says about a program. */
export interface Elf {
  class: 32 | 64;
  /** As `uname -m` would say it, or the number of the machine where we have no name for it. */
  machine: string;
  /** The loader that it asks for; undefined where it is linked statically. */
  interpreter?: string;
}

/** Bytes from the start of a file that `readElf` needs. */
export const ELF_HEAD = 65_536;

const MACHINES: Record<number, string> = {
  3: 'i686',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
  258: 'loongarch64',
};

/**
 * Reads the head of a file (the first `ELF_HEAD` bytes or all of it).
 * Returns a clause such as "a shell script" where it is no program that Linux could run.
 */
export function readElf(head: Buffer): Elf | string {
  if (head.length === 0) return 'an empty file';
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return describe(head);
  const wide = head[4] === 2;
  if (head.length < (wide ? 64 : 52)) return 'an ELF file that is cut off';
  if ((head[4] !== 1 && !wide) || (head[5] !== 1 && head[5] !== 2)) return 'a damaged ELF file';
  return readProgram(head, layoutOf(head));
}

function readProgram(head: Buffer, layout: Layout): Elf | string {
  const type = layout.u16(16);
  if (type === 1) return 'an object file (.o), not a linked program';
  if (type === 4) return 'a core dump';
  if (type !== 2 && type !== 3) return 'a damaged ELF file';
  const segments = segmentsOf(head, layout);
  const interpreter = segments === null ? null : interpreterOf(head, segments);
  if (segments === null || interpreter === null) return 'an ELF file that is cut off';
  // The kernel refuses it, and then execvp would hand it to a shell.
  if (!segments.some((segment) => segment.type === SEGMENT.load)) return 'a damaged ELF file: it has nothing to load';
  const entry = layout.word(24);
  if (interpreter === undefined && entry === 0) return 'a shared library (a dynamic module?), not a program';
  const machine = layout.u16(18);
  return {
    class: layout.wide ? 64 : 32,
    machine: MACHINES[machine] ?? `machine ${machine}`,
    ...(interpreter === undefined ? {} : { interpreter }),
  };
}

/** Undefined where it asks for none, null where the file ends before it. */
function interpreterOf(head: Buffer, segments: Segment[]): string | undefined | null {
  const named = segments.find(({ type }) => type === SEGMENT.interpreter);
  if (named === undefined) return undefined;
  if (named.offset + named.size > head.length) return null;
  return head.toString('latin1', named.offset, named.offset + named.size).replace(/\0.*$/s, '');
}

/** Beginnings in hexadecimal. */
const MAGIC: [start: string, clause: string][] = [
  ['2321', 'a script, not a program: a wrapper would be running instead of nginx'],
  ['4d5a', 'a Windows program'],
  ['cffaedfe', 'a macOS program'],
  ['cafebabe', 'a macOS program'],
  ['1f8b', 'an archive (gzip): unpack it first'],
  ['fd377a58', 'an archive (xz): unpack it first'],
  ['28b52ffd', 'an archive (zstd): unpack it first'],
  ['504b0304', 'an archive (zip): unpack it first'],
  ['213c617263683e0a64656269616e', 'a Debian package: unpack it first ("dpkg-deb -x")'],
  ['edabeedb', 'an RPM package: unpack it first ("rpm2cpio")'],
];

function describe(head: Buffer): string {
  const start = head.toString('hex', 0, 32);
  const magic = MAGIC.find(([bytes]) => start.startsWith(bytes));
  return magic?.[1] ?? describeText(head.toString('latin1', 0, 512));
}

function describeText(text: string): string {
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) return 'an HTML page: did a download end in an error page?';
  if (text.startsWith('version https://git-lfs')) return 'a Git LFS pointer: check out with LFS';
  return /^[\s\x20-\x7e]+$/.test(text) ? 'a text file' : 'not an ELF file';
}
