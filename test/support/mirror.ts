import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nginxTarball, SIGNATURE } from './nginx-source.ts';
import { ownTempDir } from './temp-dir.ts';

/** A directory of releases as nginx.org has one, for a test to spoil: 1.26.3 with its signature. */
export interface SourceMirror {
  /** For `source-url`. */
  url: string;
  /** Replaces one of its files. */
  change(name: MirrorFile, change: (bytes: Buffer) => Buffer | string): Promise<void>;
  /** SHA-256 of the tarball as it lies there. */
  digest(): Promise<string>;
}

export type MirrorFile = 'nginx-1.26.3.tar.gz' | 'nginx-1.26.3.tar.gz.asc';

export async function sourceMirror(): Promise<SourceMirror> {
  const dir = ownTempDir();
  await copyFile(await nginxTarball('1.26.3'), join(dir, 'nginx-1.26.3.tar.gz'));
  await copyFile(SIGNATURE, join(dir, 'nginx-1.26.3.tar.gz.asc'));
  return {
    url: `${pathToFileURL(dir).href}/`,
    digest: async () => {
      const bytes = await readFile(join(dir, 'nginx-1.26.3.tar.gz'));
      return createHash('sha256').update(bytes).digest('hex');
    },
    change: async (name, change) => writeFile(join(dir, name), change(await readFile(join(dir, name)))),
  };
}
