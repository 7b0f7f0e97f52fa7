import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { machine, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type BuildInfo, parseBuildInfo } from '../nginx/build-info.ts';
import { quoted } from '../obtain/tools.ts';
import { type Elf, readElf } from './elf.ts';
import { type Needs, readNeeds } from './elf-needs.ts';

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
  /** The loader that it asks for, and what it needs of the machine that runs it. */
  interpreter?: string;
  needs?: Needs;
  /** What it says of itself on this machine; without version where this machine cannot run it. */
  build: BuildInfo;
  bytes: Buffer;
  /** Dynamic modules that were built with it. */
  modules: NewModule[];
}

/** A dynamic module that was built with the binary, and goes with it. */
export interface NewModule {
  /** Such as `ngx_stream_module.so`. */
  name: string;
  sha256: string;
  blake2b: string;
  bytes: Buffer;
}

/** Reads and identifies the file. Rejects with the file system's error; an ELF file is taken for granted (inputs). */
export async function loadBinary(path: string): Promise<NewBinary> {
  return identify({ path, nginx: await readFile(path), modules: [] }, () => askForBuild(path));
}

interface NginxFile {
  /** Where it lies. */
  path: string;
  nginx: Buffer;
  modules: { name: string; bytes: Buffer }[];
}

/** Identifies what was read and found to be right: these bytes are run, whatever lies at the path by now. */
export async function newBinary(file: NginxFile): Promise<NewBinary> {
  return identify(file, async () => {
    const directory = await mkdtemp(join(process.env['RUNNER_TEMP'] || tmpdir(), 'nginx-hot-upgrade-run-'));
    try {
      await writeFile(join(directory, 'nginx'), file.nginx, { mode: 0o700 });
      return await askForBuild(join(directory, 'nginx'));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

async function identify(file: NginxFile, ask: () => Promise<string>): Promise<NewBinary> {
  const { path, nginx: bytes } = file;
  const elf = readElf(bytes);
  // A program of another machine must not even be tried: execvp hands what the kernel refuses to /bin/sh, as a script.
  const foreign = typeof elf !== 'string' && elf.machine !== machine();
  const said = foreign ? '' : await ask();
  const known = typeof elf === 'string' ? {} : { needs: readNeeds(bytes), ...loaderOf(elf) };
  return {
    path,
    ...digestsOf(bytes),
    size: bytes.length,
    ...known,
    build: parseBuildInfo(said),
    bytes,
    modules: file.modules.map((module) => ({ ...module, ...digestsOf(module.bytes) })),
  };
}

function digestsOf(bytes: Buffer): { sha256: string; blake2b: string } {
  const digest = (name: string) => createHash(name).update(bytes).digest('hex');
  return { sha256: digest('sha256'), blake2b: digest('blake2b512') };
}

function loaderOf({ machine: named, interpreter }: Elf): Pick<NewBinary, 'machine' | 'interpreter'> {
  return {
    ...(named.startsWith('machine ') ? {} : { machine: named }),
    ...(interpreter === undefined ? {} : { interpreter }),
  };
}

const pack = promisify(gzip);

/** The bytes as they travel. What was packed once is kept: many hosts get the same. */
export function encoded({ bytes }: { bytes: Buffer }, encoding: 'none' | 'gzip'): Promise<Buffer> {
  if (encoding === 'none') return Promise.resolve(bytes);
  const known = packed.get(bytes) ?? pack(bytes, { level: 1 });
  packed.set(bytes, known);
  return known;
}

const packed = new WeakMap<Buffer, Promise<Buffer>>();

/** `nginx -V` prints to stderr. A file that does not run here is judged on the target. */
async function askForBuild(path: string): Promise<string> {
  const { getExecOutput } = await import('@actions/exec');
  try {
    const { stdout, stderr, exitCode } = await getExecOutput(quoted(path), ['-V'], {
      silent: true,
      ignoreReturnCode: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    return exitCode === 0 ? stdout + stderr : '';
  } catch {
    return '';
  }
}
