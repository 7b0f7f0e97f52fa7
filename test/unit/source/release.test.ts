import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Refused } from '../../../src/errors.ts';
import type { Finding } from '../../../src/report/result.ts';
import { mirrorOf, type Mirror } from '../../../src/source/mirror.ts';
import { readPublicKeys, type PublicKey } from '../../../src/source/public-key.ts';
import { fetchRelease, type Trust, unpackRelease } from '../../../src/source/release.ts';
import { NGINX_SIGNERS, REPOSITORY_KEYS } from '../../../src/source/signers.ts';
import { armor, claimedBy, type Key, MADE, TARBALL } from '../../support/signing.ts';

const { release, other, expired, renewed, soon, later, parent, revoked, signatures } = MADE;

const root = mkdtempSync(join(tmpdir(), 'nhu-test-'));
after(() => rmSync(root, { recursive: true }));

const NGINX_1_26_3 = readFileSync(new URL('../../support/signatures/nginx-1.26.3.tar.gz.asc', import.meta.url));
const PAGE = Buffer.from('<!DOCTYPE html><title>Sign in</title>');
const DIGEST = digestOf(TARBALL);
const OTHER_DIGEST = 'ab'.repeat(32);
const FLIPPED = Buffer.from(TARBALL);
FLIPPED.writeUInt8(TARBALL.readUInt8(20) ^ 1, 20);

/** What lies on a mirror; null: nothing. */
interface Files {
  version?: string;
  tarball?: Buffer | null;
  signature?: string | Buffer | null;
  /** By name, below `keys/`. */
  keys?: Record<string, string>;
}

function mirrorWith({ version = '1.30.4', tarball = TARBALL, signature = null, keys = {} }: Files): Mirror {
  const directory = mkdtempSync(join(root, 'mirror-'));
  const file = join(directory, `nginx-${version}.tar.gz`);
  if (tarball !== null) writeFileSync(file, tarball);
  if (signature !== null) writeFileSync(`${file}.asc`, signature);
  mkdirSync(join(directory, 'keys'));
  for (const [name, key] of Object.entries(keys)) writeFileSync(join(directory, 'keys', name), key);
  return mirrorOf(`${pathToFileURL(directory).href}/`);
}

function fetched(files: Files, trust: Trust) {
  return fetchRelease(files.version ?? '1.30.4', { mirror: mirrorWith(files), trust });
}

/** The one finding with which a release is refused; whatever else is thrown fails the test. */
async function refusal(files: Files, trust: Trust): Promise<Finding> {
  const error = await fetched(files, trust).then(
    ({ vouched }) => assert.fail(`expected to be refused, found it ${vouched}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Refused)) throw error;
  const [finding, ...more] = error.findings;
  assert.ok(finding !== undefined && more.length === 0, error.message);
  return finding;
}

function trusting(...trusted: Key[]): { keys: PublicKey[] } {
  const keys = readPublicKeys(trusted.map(({ armored }) => armored).join(''));
  assert.ok(typeof keys !== 'string', trusted.map(({ user }) => user).join());
  return { keys };
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function signerOf({ user, fingerprint }: Key): string {
  return `signed by ${user} (${fingerprint})`;
}

function setEnv(t: TestContext, name: string, value: string): void {
  const before = process.env[name];
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
  process.env[name] = value;
}

describe('fetchRelease', () => {
  it('fetches a tarball for which a key that is trusted vouches', async () => {
    assert.deepEqual(await fetched({ signature: release.signature }, trusting(release)), {
      version: '1.30.4',
      bytes: TARBALL,
      sha256: DIGEST,
      vouched: signerOf(release),
      warnings: [],
    });
  });

  const vouched: [string, Files, Trust, string][] = [
    ['the one of several keys that signed', { signature: other.signature }, trusting(release, other), signerOf(other)],
    ['a binary signature', { signature: signatures.binary }, trusting(release), signerOf(release)],
    ['a part of a key', { signature: parent.signature }, trusting(parent), signerOf(parent)],
    ['a renewed key', { signature: renewed.signature }, trusting(renewed), signerOf(renewed)],
    [
      'a key given before and after it was renewed',
      { signature: renewed.signature },
      trusting(expired, renewed),
      signerOf(renewed),
    ],
    ['a digest alone, without a signature', {}, { sha256: DIGEST }, `sha256 ${DIGEST} as given`],
    [
      'a digest alone, whatever signature there is',
      { signature: revoked.signature },
      { sha256: DIGEST },
      `sha256 ${DIGEST} as given`,
    ],
    [
      'both a digest and a key',
      { signature: release.signature },
      { sha256: DIGEST, ...trusting(release) },
      `sha256 ${DIGEST} as given and ${signerOf(release)}`,
    ],
  ];
  for (const [what, files, trust, clause] of vouched) {
    it(`goes by ${what}`, async () => assert.equal((await fetched(files, trust)).vouched, clause));
  }

  const CHANGED =
    /^the signature of file:\S+\/nginx-1\.30\.4\.tar\.gz is not good: it is the signature of another file, or/;
  const byRelease = { signature: release.signature };
  const refused: [string, Files, Trust, code: string, says: RegExp][] = [
    ['a changed byte', { ...byRelease, tarball: FLIPPED }, trusting(release), 'signature-bad', CHANGED],
    ['half a tarball', { ...byRelease, tarball: TARBALL.subarray(0, 60) }, trusting(release), 'signature-bad', CHANGED],
    ['an empty tarball', { ...byRelease, tarball: Buffer.alloc(0) }, trusting(release), 'signature-bad', CHANGED],
    ['a page instead of the tarball', { ...byRelease, tarball: PAGE }, trusting(release), 'signature-bad', CHANGED],
    [
      'the signature of another file',
      { signature: signatures.ofAnotherFile },
      trusting(release),
      'signature-bad',
      CHANGED,
    ],
    [
      'no tarball',
      { ...byRelease, tarball: null },
      trusting(release),
      'download-failed',
      /^the source of nginx 1\.30\.4 /,
    ],
    ['no signature', {}, trusting(release), 'signature-missing', /there is no signature at file:\S+\.tar\.gz\.asc$/],
    [
      'no signature, where no key was given',
      {},
      {},
      'signature-missing',
      /there is no signature at file:\S+\.tar\.gz\.asc$/,
    ],
    [
      'a page instead of the signature',
      { signature: PAGE },
      trusting(release),
      'signature-bad',
      /\.asc: expected .*no such block$/,
    ],
    [
      'two signatures',
      { signature: signatures.byTwo },
      trusting(release, other),
      'signature-bad',
      /\.asc: .*one signature, found 2$/,
    ],
    [
      'two blocks',
      { signature: release.signature + other.signature },
      trusting(release, other),
      'signature-bad',
      /\.asc: expected one signature, found 2$/,
    ],
    [
      'text around the signature',
      { signature: `Good since 2026:\n${release.signature}` },
      trusting(release),
      'signature-bad',
      /\.asc: found text around the signature$/,
    ],
    [
      'a key instead of the signature',
      { signature: release.armored },
      trusting(release),
      'signature-bad',
      /found a PGP public key/,
    ],
    [
      'a signature by another key',
      { signature: other.signature },
      trusting(release),
      'unknown-signer',
      new RegExp(`^file:\\S+ is signed by ${other.fingerprint}; expected one of the keys in \`trusted-keys\`$`),
    ],
    [
      'a signature by an expired key',
      { signature: expired.signature },
      trusting(expired),
      'key-expired',
      new RegExp(`^file:\\S+ is signed by ${expired.fingerprint}, a key that has expired$`),
    ],
    [
      'a signature by a revoked key',
      { signature: revoked.signature },
      trusting(revoked),
      'signature-bad',
      /the key was revoked$/,
    ],
    [
      'a signature that has expired',
      { signature: renewed.ofLimitedTime },
      trusting(renewed),
      'signature-bad',
      /the signature itself has expired$/,
    ],
    [
      'a digest that differs',
      {},
      { sha256: OTHER_DIGEST },
      'digest-mismatch',
      new RegExp(`^file:\\S+\\.tar\\.gz has the digest ${DIGEST}, expected ${OTHER_DIGEST}$`),
    ],
    [
      'a page instead of the tarball, by its digest',
      { tarball: PAGE },
      { sha256: DIGEST },
      'digest-mismatch',
      new RegExp(`has the digest ${digestOf(PAGE)}, expected ${DIGEST}$`),
    ],
    [
      'a digest that differs, where the signature is good',
      byRelease,
      { sha256: OTHER_DIGEST, ...trusting(release) },
      'digest-mismatch',
      /has the digest/,
    ],
    [
      'a signature by another key, where the digest is right',
      { signature: other.signature },
      { sha256: DIGEST, ...trusting(release) },
      'unknown-signer',
      /expected one of the keys in `trusted-keys`$/,
    ],
    [
      'no signature, where the digest is right',
      {},
      { sha256: DIGEST, ...trusting(release) },
      'signature-missing',
      /\.asc$/,
    ],
    [
      'keys that nobody gave',
      byRelease,
      {},
      'unknown-signer',
      new RegExp(`is signed by ${release.fingerprint}; expected one of nginx's release signers$`),
    ],
    [
      'a signature that only says that it is by a signer of nginx',
      { signature: claimedBy(NGINX_SIGNERS[1]?.fingerprint ?? '') },
      {},
      'signature-bad',
      CHANGED,
    ],
    [
      'a signer of nginx, where other keys were given',
      { version: '1.26.3', signature: NGINX_1_26_3 },
      trusting(release),
      'unknown-signer',
      /is signed by D6786CE303D9A9022998DC6CC8464D549AF75C0A; expected one of the keys in `trusted-keys`$/,
    ],
    [
      'what is not the tarball that a signer of nginx signed',
      { version: '1.26.3', signature: NGINX_1_26_3 },
      {},
      'signature-bad',
      /^the signature of file:\S+\/nginx-1\.26\.3\.tar\.gz is not good: it is the signature of another file, or/,
    ],
  ];
  for (const [what, files, trust, code, says] of refused) {
    it(`refuses ${what}: ${code}`, async () => {
      const finding = await refusal(files, trust);
      assert.equal(finding.code, code);
      assert.match(finding.message, says);
    });
  }

  it('finds the digest wrong before it asks for a signature', async () => {
    const { code } = await refusal({}, { sha256: OTHER_DIGEST, ...trusting(release) });
    assert.equal(code, 'digest-mismatch');
  });

  for (const key of REPOSITORY_KEYS) {
    for (const named of [key, key.slice(-16)]) {
      it(`says that ${named} is a key of package repositories`, async () => {
        const signature = armor('SIGNATURE', claimedBy(key, { idOnly: named !== key }));
        for (const trust of [{}, trusting(release)]) {
          const { code, message } = await refusal({ signature }, trust);
          assert.equal(code, 'unknown-signer');
          assert.ok(
            message.includes(` is signed by ${named}, a key that signs package repositories and never`),
            message,
          );
        }
      });
    }
  }

  it('says of no other key that it is one of package repositories', async () => {
    const { message } = await refusal({ signature: other.signature }, trusting(release));
    assert.doesNotMatch(message, /repositories/);
  });

  const advised: [string, Files, Trust, fix: RegExp][] = [
    ['to mirror the signature or give the digest', {}, trusting(release), /^Mirror the \.asc file .*`sha256`\.$/],
    ['to compare digests', {}, { sha256: OTHER_DIGEST }, /^Compare both with the digest that its author publishes\./],
    ['to give the key', { signature: other.signature }, trusting(release), /as `trusted-keys`, or give the digest/],
    [
      'to give the renewed key',
      { signature: expired.signature },
      trusting(expired),
      /^Give the renewed key as `trusted-keys`/,
    ],
    ['to go to another mirror', { ...byRelease, tarball: FLIPPED }, trusting(release), /^Fetch it again from a mirror/],
  ];
  for (const [what, files, trust, fix] of advised) {
    it(`advises ${what}`, async () => assert.match((await refusal(files, trust)).fix, fix));
  }

  it('warns months ahead of a key that expires', async () => {
    const { vouched: clause, warnings } = await fetched({ signature: soon.signature }, trusting(later, soon));
    const day = new Date(soon.expires ?? 0).toISOString().slice(0, 10);
    assert.equal(clause, signerOf(soon));
    assert.deepEqual(warnings, [
      {
        code: 'key-expires',
        message: `the key of ${soon.user} (${soon.fingerprint}) expires on ${day}; what it signed is refused from then on`,
        fix: 'Look for a renewed key, or for a newer release of this action.',
      },
    ]);
  });

  it('does not warn of a key with more months left, nor of one that did not sign', async () => {
    const { warnings } = await fetched({ signature: later.signature }, trusting(soon, later));
    assert.deepEqual(warnings, []);
  });

  it('says how to get gpgv where there is none, and needs none for a digest', async (t) => {
    setEnv(t, 'PATH', mkdtempSync(join(root, 'no-programs-')));
    const { code, message, fix } = await refusal(byRelease, trusting(release));
    assert.deepEqual(
      [code, message],
      ['build-dependency', 'this machine has no gpgv, which checks the signature of the source'],
    );
    assert.match(fix, /gpgv.*or give the digest/);
    assert.equal((await fetched({}, { sha256: DIGEST })).sha256, DIGEST);
  });

  it('leaves nothing in the temporary folder, whether the signature is good or not', async (t) => {
    const folder = mkdtempSync(join(root, 'temporary-'));
    setEnv(t, 'TMPDIR', folder);
    await fetched(byRelease, trusting(release));
    await refusal(byRelease, trusting(other));
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('the key of a signer of nginx that is not on board, or has expired there,', () => {
  const { name, fingerprint } = NGINX_SIGNERS[2] ?? assert.fail('expected a third signer');
  const armored = readFileSync(new URL(`../../../src/source/keys/${name}.asc`, import.meta.url), 'utf8');
  const id = fingerprint.slice(-16);
  const VALID = `[GNUPG:] VALIDSIG ${fingerprint} 2026-01-01 1767225600 0 4 0 1 8 00 ${fingerprint}`;
  const EXPIRED = `[GNUPG:] EXPKEYSIG ${id} Ann\n${VALID}`;
  const MISSING = `[GNUPG:] ERRSIG ${id} 1 8 00 1767225600 9 ${fingerprint}\n[GNUPG:] NO_PUBKEY ${id}`;
  const GOOD = `[GNUPG:] GOODSIG ${id} Ann\n${VALID}`;

  /** Nobody here can sign as one of them: a gpgv that says one thing of all keys on board, and another of a single key. */
  function scriptGpgv(t: TestContext, { onBoard, alone }: { onBoard: string; alone: string }): void {
    const folder = mkdtempSync(join(root, 'gpgv-'));
    const keyring = String.raw`[ "$(wc -c <"$4")" -gt ${Buffer.byteLength(armored)} ]`;
    const script = `#!/bin/sh\nif ${keyring}; then echo '${onBoard}'; else echo '${alone}'; fi\n`;
    writeFileSync(join(folder, 'gpgv'), script);
    chmodSync(join(folder, 'gpgv'), 0o755);
    setEnv(t, 'PATH', `${folder}:${process.env['PATH']}`);
  }

  const theirs: Files = { signature: release.signature };
  const at = `${name}.key`;

  for (const [what, onBoard] of Object.entries({ expired: EXPIRED, missing: MISSING })) {
    it(`is fetched from the mirror where it is ${what}`, async (t) => {
      scriptGpgv(t, { onBoard, alone: GOOD });
      const keys = { [at]: `The key of ${name}:\n${other.armored}${armored}` };
      const { vouched } = await fetched({ ...theirs, keys }, {});
      assert.match(vouched, new RegExp(`^signed by .* \\(${fingerprint}\\)$`));
    });

    it(`is not fetched where it is ${what} and other keys were given`, async (t) => {
      scriptGpgv(t, { onBoard: GOOD, alone: onBoard });
      const { code } = await refusal({ ...theirs, keys: { [at]: armored } }, trusting(release));
      assert.equal(code, what === 'expired' ? 'key-expired' : 'unknown-signer');
    });
  }

  it('is refused where the mirror has none either, and the place for it is named', async (t) => {
    scriptGpgv(t, { onBoard: MISSING, alone: GOOD });
    const { code, message, fix } = await refusal(theirs, {});
    assert.equal(code, 'unknown-signer');
    assert.match(
      message,
      new RegExp(`is signed by ${name} \\(${fingerprint}\\), .* neither on board nor at file:\\S+/keys/${at}$`),
    );
    assert.match(fix, /^Put the key there, give it as `trusted-keys`, or give the digest/);
  });

  const useless: [string, Record<string, string>][] = [
    ['nothing', {}],
    ['the key of somebody else', { [at]: other.armored }],
    ['a page', { [at]: PAGE.toString() }],
    ['the key by another name', { 'ann.key': armored }],
  ];
  for (const [what, keys] of useless) {
    it(`stays expired where the mirror has ${what}`, async (t) => {
      scriptGpgv(t, { onBoard: EXPIRED, alone: GOOD });
      assert.equal((await refusal({ ...theirs, keys }, {})).code, 'key-expired');
    });
  }

  it('is refused where the one on the mirror has expired as well', async (t) => {
    scriptGpgv(t, { onBoard: EXPIRED, alone: EXPIRED });
    const { code, message } = await refusal({ ...theirs, keys: { [at]: armored } }, {});
    assert.deepEqual([code, message.includes(fingerprint)], ['key-expired', true]);
  });
});

describe('unpackRelease', () => {
  it('unpacks a release without its one directory', async () => {
    const into = mkdtempSync(join(root, 'into-'));
    await unpackRelease(await fetched({}, { sha256: DIGEST }), into);
    assert.deepEqual(readdirSync(into), ['configure']);
    assert.equal(readFileSync(join(into, 'configure'), 'utf8'), '#!/bin/sh\n');
  });

  const damaged: [string, Buffer, RegExp][] = [
    ['a page', PAGE, /^archive-unsafe: the source of nginx 1\.30\.4 .* neither a \.tar\.gz/],
    ['half a tarball', TARBALL.subarray(0, 60), /^archive-unsafe: the source of nginx 1\.30\.4 .* it is damaged$/],
  ];
  for (const [what, tarball, message] of damaged) {
    it(`refuses ${what}, even where its digest is right`, async () => {
      const into = mkdtempSync(join(root, 'into-'));
      const given = await fetched({ tarball }, { sha256: digestOf(tarball) });
      await assert.rejects(unpackRelease(given, into), { name: 'Refused', message });
      assert.deepEqual(readdirSync(into), []);
    });
  }
});
