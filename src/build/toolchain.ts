import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getExecOutput } from '@actions/exec';
import { cleanEnvironment } from '../obtain/tools.ts';

/** What on this machine goes into a build, besides the sources and the arguments. */
export interface Toolchain {
  /** Everything that may change a byte of the result, as one text. */
  fingerprint: string;
  /** How the compiler takes the directory of the build out of what it writes; empty where it cannot. */
  prefixMap: (directory: string) => string;
  osRelease: string;
}

/** Headers whose versions show in what is compiled. */
const HEADERS = ['openssl/opensslv.h', 'pcre2.h', 'pcre.h', 'zlib.h', 'libxslt/xsltconfig.h', 'gd.h', 'GeoIP.h'];

/** Asks compiler, linker and preprocessor. Whatever is missing is left for `configure` to name. */
export async function readToolchain(): Promise<Toolchain> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [compiler, linker, headers, flag] = await Promise.all([
    run(['cc', '-v']),
    run(['ld', '--version']),
    headerTexts(),
    run(['cc', '-ffile-prefix-map=a=b', '-E', '-x', 'c', '/dev/null']),
  ]);
  const system = osRelease.match(/^(?:ID|VERSION_ID)=.*$/gm)?.join(' ') ?? '';
  return {
    fingerprint: [system, process.arch, compiler.said, linker.said, headers].join('\n'),
    prefixMap: (directory) => (flag.code === 0 ? `-ffile-prefix-map=${directory}=.` : ''),
    osRelease,
  };
}

/** What the compiler sees of the libraries that nginx is built against. */
async function headerTexts(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-headers-'));
  try {
    const file = join(directory, 'headers.c');
    const width = '#define PCRE2_CODE_UNIT_WIDTH 8\n';
    await writeFile(
      file,
      width + HEADERS.map((name) => `#if __has_include(<${name}>)\n#include <${name}>\n#endif\n`).join(''),
    );
    return (await run(['cc', '-E', '-P', file])).stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function run([program = '', ...args]: string[]): Promise<{ code: number; stdout: string; said: string }> {
  const options = { silent: true, ignoreReturnCode: true, env: cleanEnvironment() };
  const ended = await getExecOutput(program, args, options).catch(() => undefined);
  if (ended === undefined) return { code: 127, stdout: '', said: '' };
  return { code: ended.exitCode, stdout: ended.stdout, said: ended.stdout + ended.stderr };
}
