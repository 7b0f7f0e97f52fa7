import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { InputError, type InputProblem } from '../../../src/errors.ts';
import type { Checked } from '../../../src/inputs/checked.ts';
import { parseInputs, type InputEnvironment, type ParsedInputs } from '../../../src/inputs/parse.ts';

export const USER = 'runner';

const folder = mkdtempSync(join(tmpdir(), 'nhu-inputs-'));
after(() => rmSync(folder, { recursive: true }));

/** A file that is gone after the tests; its path. */
export function fileWith(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The smallest thing that has a right to be called a program: an ELF header and one segment, linked statically. */
export function elf(change: (header: Buffer) => void = () => {}): Buffer {
  const header = Buffer.alloc(120);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(0x40_00_00n, 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  // One segment that is loaded.
  header.writeUInt32LE(1, 64);
  change(header);
  return header;
}

export const NGINX = fileWith('nginx', elf());

/** An ed25519 key that signs nothing anywhere. */
export const HOST_KEY = `ssh-ed25519 ${hostKeyBlob(1)}`;
export const OTHER_HOST_KEY = `ssh-ed25519 ${hostKeyBlob(2)}`;

/** What a local upgrade needs at least. */
export const LOCAL = { targets: 'local', binary: NGINX, 'health-url': 'none' };

export type Answer =
  { parsed: ParsedInputs; problems: InputProblem[] } | { parsed: undefined; problems: InputProblem[] };

/** Parses; only an InputError counts as an answer, anything else that is thrown fails the test. */
export async function ask(
  inputs: Record<string, string>,
  environment: Partial<InputEnvironment> = {},
): Promise<Answer> {
  try {
    const parsed = await parseInputs(new Map(Object.entries(inputs)), { user: USER, ...environment });
    return { parsed, problems: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { parsed: undefined, problems: error.problems };
  }
}

/** The problems of one input on top of a good local upgrade, as one text. */
export async function complaints(name: string, value: string): Promise<string> {
  const { problems } = await ask({ ...LOCAL, [name]: value });
  return problems
    .filter(({ input }) => input === name)
    .map(({ message }) => message)
    .join('\n');
}

/** What a validator says: its problems, or nothing. */
export function said(checked: Checked<unknown>): string {
  return checked.ok ? '' : checked.problems.join('\n');
}

function hostKeyBlob(seed: number): string {
  const type = Buffer.from('ssh-ed25519');
  const key = Buffer.alloc(32, seed);
  return Buffer.concat([length(type), type, length(key), key]).toString('base64');
}

function length(part: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(part.length);
  return bytes;
}
