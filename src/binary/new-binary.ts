import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { machine } from 'node:os';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type BuildInfo, parseBuildInfo } from '../nginx/build-info.ts';
import { readElf } from './elf.ts';

/** The binary that the targets shall run, held in memory so that what was checked is what is sent. */
export interface NewBinary {
  path: string;
  /** Lower-case hexadecimal. */
  sha256: string;
  /** BLAKE2b, 512 bits, lower-case hexadecimal: what a target checks fastest. */
  blake2b: string;
  /** Bytes. */
  size: number;
  /** In the words of `uname -m`; undefined where unknown. */
  machine?: string;
  /** What it says of itself on this machine; without version where this machine cannot run it. */
  build: BuildInfo;
  bytes: Buffer;
}

/** Reads and identifies the file. Rejects with the file system's error; an ELF file is taken for granted (inputs). */
export async function loadBinary(path: string): Promise<NewBinary> {
  const bytes = await readFile(path);
  const elf = readElf(bytes);
  // A program of another machine must not even be tried: execvp hands what the kernel refuses to /bin/sh, as a script.
  const foreign = typeof elf !== 'string' && elf.machine !== machine();
  const said = foreign ? '' : await askForBuild(path);
  return {
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    blake2b: createHash('blake2b512').update(bytes).digest('hex'),
    size: bytes.length,
    ...(typeof elf === 'string' || elf.machine.startsWith('machine ') ? {} : { machine: elf.machine }),
    build: parseBuildInfo(said),
    bytes,
  };
}

const pack = promisify(gzip);

/** The bytes as they travel. What was packed once is kept: many hosts get the same. */
export function encoded(binary: NewBinary, encoding: 'none' | 'gzip'): Promise<Buffer> {
  if (encoding === 'none') return Promise.resolve(binary.bytes);
  const known = packed.get(binary) ?? pack(binary.bytes, { level: 1 });
  packed.set(binary, known);
  return known;
}

const packed = new WeakMap<NewBinary, Promise<Buffer>>();

/** `nginx -V` prints to stderr. A file that does not run here is judged on the target. */
async function askForBuild(path: string): Promise<string> {
  const { getExecOutput } = await import('@actions/exec');
  try {
    const { stdout, stderr, exitCode } = await getExecOutput(path, ['-V'], {
      silent: true,
      ignoreReturnCode: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    return exitCode === 0 ? stdout + stderr : '';
  } catch {
    return '';
  }
}
