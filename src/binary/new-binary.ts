import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { machine } from 'node:os';
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
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

/** The bytes in pieces that leave the event loop room, compressed where asked for. */
export function streamOf(binary: NewBinary, encoding: 'none' | 'gzip'): AsyncIterable<Uint8Array> {
  const plain = Readable.from(pieces(binary.bytes));
  return encoding === 'gzip' ? plain.pipe(createGzip({ level: 1 })) : plain;
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  const size = 256 * 1024;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

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
