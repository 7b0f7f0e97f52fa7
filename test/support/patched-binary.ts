import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownTempDir } from './temp-dir.ts';

/**
 * A copy of a program in which every one of these texts became another of the same length: an nginx that was built with
 * another path or needs another library, without building it. Returns its path.
 */
export function patchedBinary(path: string, changes: [from: string, to: string][]): string {
  let text = readFileSync(path, 'latin1');
  for (const [from, to] of changes) {
    if (from.length !== to.length) throw new Error(`expected as many characters in "${to}" as in "${from}"`);
    if (!text.includes(from)) throw new Error(`expected "${from}" in ${path}`);
    text = text.replaceAll(from, to);
  }
  return written(Buffer.from(text, 'latin1'));
}

/** A copy that says in its ELF header that it is for 64-bit ARM. */
export function foreignBinary(path: string): string {
  const bytes = readFileSync(path);
  const [MACHINE, AARCH64] = [18, 183];
  bytes.writeUInt16LE(AARCH64, MACHINE);
  return written(bytes);
}

function written(bytes: Buffer): string {
  const copy = join(ownTempDir(), 'nginx');
  writeFileSync(copy, bytes);
  chmodSync(copy, 0o755);
  return copy;
}
