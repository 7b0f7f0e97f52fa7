import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { sourceMirror, type SourceMirror } from '../support/mirror.ts';
import { quick, type Inputs } from '../support/product.ts';
import { MADE, TARBALL } from '../support/signing.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { untouched } from '../support/untouched.ts';
import { webHost } from '../support/web-host.ts';

const [SOURCE, SIGNATURE] = ['nginx-1.26.3.tar.gz', 'nginx-1.26.3.tar.gz.asc'] as const;
const PAGE = '<!DOCTYPE html><title>Welcome</title>';

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
}

/** What `tar` packs only when it is told to leave names alone. */
function climbingArchive(): Buffer {
  const dir = ownTempDir();
  mkdirSync(join(dir, 'nginx'));
  writeFileSync(join(dir, 'evil'), '');
  return execFileSync('tar', ['-C', join(dir, 'nginx'), '-P', '-czf', '-', '../evil']);
}

interface Case {
  what: string;
  spoil: (mirror: SourceMirror) => Promise<unknown>;
  inputs?: (mirror: SourceMirror) => Promise<Inputs>;
  code: string;
  says: RegExp;
}

const REFUSED: Case[] = [
  {
    what: 'a tarball in which one bit is another',
    spoil: (mirror) => mirror.change(SOURCE, flipped),
    code: 'signature-bad',
    says: /another file, or the file was changed/,
  },
  {
    what: 'a tarball that was cut off',
    spoil: (mirror) => mirror.change(SOURCE, (bytes) => bytes.subarray(0, bytes.length >> 1)),
    code: 'signature-bad',
    says: /another file, or the file was changed/,
  },
  {
    what: 'a page in the place of the tarball',
    spoil: (mirror) => mirror.change(SOURCE, () => PAGE),
    inputs: async () => ({ sha256: 'ab'.repeat(32) }),
    code: 'digest-mismatch',
    says: /expected abab/,
  },
  {
    what: 'a page in the place of the signature',
    spoil: (mirror) => mirror.change(SIGNATURE, () => PAGE),
    code: 'signature-bad',
    says: /no such block/,
  },
  {
    what: 'the signature of another file',
    spoil: (mirror) => mirror.change(SOURCE, () => TARBALL),
    code: 'signature-bad',
    says: /another file, or the file was changed/,
  },
  {
    what: 'a signer who is not among the trusted ones',
    spoil: async () => {},
    inputs: async () => ({ 'trusted-keys': MADE.other.armored }),
    code: 'unknown-signer',
    says: /D6786CE303D9A9022998DC6CC8464D549AF75C0A/,
  },
  {
    what: 'a signer whose key has expired',
    spoil: async (mirror) => {
      await mirror.change(SOURCE, () => TARBALL);
      await mirror.change(SIGNATURE, () => MADE.expired.signature);
    },
    inputs: async () => ({ 'trusted-keys': MADE.expired.armored }),
    code: 'key-expired',
    says: new RegExp(MADE.expired.fingerprint),
  },
  {
    what: 'an archive that leads out of its directory',
    spoil: (mirror) => mirror.change(SOURCE, climbingArchive),
    inputs: async (mirror) => ({ sha256: await mirror.digest() }),
    code: 'archive-unsafe',
    says: /"\.\.\/evil" leads out/,
  },
];

describe('sources that must not be built', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('obtain-refused');

  for (const { what, spoil, inputs, code, says } of REFUSED) {
    test(`${what}: refused, the host untouched, nothing kept`, async () => {
      const mirror = await sourceMirror();
      await spoil(mirror);
      const more = { 'nginx-version': '1.26.3', 'source-url': mirror.url, ...(await inputs?.(mirror)) };
      const ended = await untouched(web, () => web.product.run('upgrade', ...quick(more)));
      assert.deepEqual([ended.code, ended.report.outcome], [1, 'refused'], ended.output);
      assert.deepEqual(
        ended.host.refusals.map((refusal) => refusal.code),
        [code],
      );
      assert.match(ended.host.refusals[0]?.message ?? '', says);
      assert.deepEqual(kept(web.product.home), []);
    });
  }
});

/** What lies in the tool cache. */
function kept(home: string): string[] {
  const cache = join(home, '.cache/nginx-hot-upgrade/tools');
  return existsSync(cache) ? readdirSync(cache) : [];
}
