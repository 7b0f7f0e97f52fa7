import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { BinarySource, Command } from '../config.ts';
import { ELF_HEAD, readElf } from '../binary/elf.ts';
import { bad, type Checked } from './checked.ts';
import { parseSha256 } from './digest.ts';
import type { Form } from './form.ts';
import { parseLocalPath, unreadable } from './path.ts';
import { readBuild } from './build.ts';
import { show } from './show.ts';
import { parseDownloadUrl } from './url.ts';

const SOURCES = ['binary', 'download-url', 'nginx-version'] as const;
const LARGEST = 1024 ** 3;

/** The new nginx, where the command has a use for one. Reads a file that is given: it must be there and be a program. */
export async function readBinary(form: Form, command: Command): Promise<BinarySource | undefined> {
  refuseSeveral(form);
  const wanted = NEEDS_BINARY.has(command);
  if (
    wanted &&
    !SOURCES.some((name) => form.given(name) !== undefined || form.blamed(name)) &&
    !form.blamed('command')
  ) {
    form.problem('binary', `"${command}" needs the new nginx: give exactly one of ${SOURCES.join(', ')}`);
  }
  const sha256 = form.optional('sha256', parseSha256);
  const build = readBuild(form, sha256);
  const url = form.optional('download-url', parseDownloadUrl);
  if (form.given('download-url') !== undefined && sha256 === undefined && !form.blamed('sha256')) {
    form.problem('sha256', '"download-url" needs the digest of what lies there');
  }
  if (sha256 !== undefined && !SOURCES.some((name) => form.given(name) !== undefined))
    form.warn('sha256', `is not used: it belongs to one of ${SOURCES.join(', ')}`);
  if (!wanted && command !== 'plan') return undefined;
  const text = form.given('binary');
  if (text !== undefined) return readFile(form, { text, sha256 });
  if (url !== undefined && sha256 !== undefined) return { kind: 'download', url, sha256 };
  return build;
}

const NEEDS_BINARY: ReadonlySet<Command> = new Set(['build', 'upgrade']);

function refuseSeveral(form: Form): void {
  const given = SOURCES.filter((name) => form.given(name) !== undefined);
  const [, second] = given;
  if (second !== undefined) form.problem(second, `expected one of ${SOURCES.join(', ')}; found ${given.join(' and ')}`);
}

async function readFile(
  form: Form,
  given: { text: string; sha256: string | undefined },
): Promise<BinarySource | undefined> {
  const path = form.take('binary', await checkProgram(given.text));
  if (path === undefined) return undefined;
  if (given.sha256 === undefined) return { kind: 'file', path };
  await compareDigest(form, { path, sha256: given.sha256 });
  return { kind: 'file', path, sha256: given.sha256 };
}

async function checkProgram(text: string): Promise<Checked<string>> {
  const path = parseLocalPath(text);
  if (!path.ok) return path;
  const mistake = await fileMistake(path.value, show(text));
  return mistake === undefined ? path : bad(mistake);
}

async function fileMistake(path: string, shown: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return `expected a file, found the directory ${shown}`;
    if (!found.isFile()) return `expected a regular file, found a pipe, socket or device: ${shown}`;
    if (found.size > LARGEST) return `is larger than 1 GiB: ${shown}`;
    const elf = readElf(await readHead(path));
    return typeof elf === 'string' ? `expected an nginx for Linux (an ELF file), ${shown} is ${elf}` : undefined;
  } catch (error) {
    return unreadable(error, shown);
  }
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(ELF_HEAD), 0, ELF_HEAD, 0);
  return buffer.subarray(0, bytesRead);
}

async function compareDigest(form: Form, { path, sha256 }: { path: string; sha256: string }): Promise<void> {
  const hash = createHash('sha256');
  await using file = await open(path);
  for await (const chunk of file.readableWebStream()) hash.update(new Uint8Array(chunk));
  const found = hash.digest('hex');
  if (found === sha256) return;
  form.problem('sha256', `the digest of ${show(path)} is another one: expected ${sha256}, found ${found}`);
}
