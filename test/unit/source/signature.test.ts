import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readPublicKeys } from '../../../src/source/public-key.ts';
import { readSignature, verdictOf, verify, type Verdict } from '../../../src/source/signature.ts';
import { armor, claimedBy, type Key, MADE, TARBALL } from '../../support/signing.ts';

const { release, other, expired, renewed, revoked, parent, signatures } = MADE;

const folder = mkdtempSync(join(tmpdir(), 'nhu-test-'));
after(() => rmSync(folder, { recursive: true }));

const TARBALL_FILE = join(folder, 'nginx-1.30.4.tar.gz');
writeFileSync(TARBALL_FILE, TARBALL);

function signatureIn(file: string | Buffer): Buffer {
  const signature = readSignature(Buffer.from(file));
  assert.ok(typeof signature !== 'string', String(signature));
  return signature;
}

/** What comes of a signature of the tarball where these keys count. */
function judged(signature: string | Buffer, ...trusted: Key[]): Promise<Verdict> {
  const keys = readPublicKeys(trusted.map(({ armored }) => armored).join(''));
  assert.ok(typeof keys !== 'string', trusted.map(({ user }) => user).join());
  return verify(TARBALL_FILE, { signature: signatureIn(signature), keys });
}

describe('readSignature', () => {
  it('takes an armored signature and a binary one for the same', () => {
    assert.deepEqual(signatureIn(armor('SIGNATURE', signatures.binary)), signatures.binary);
    assert.deepEqual(signatureIn(signatures.binary), signatures.binary);
  });

  const refused: [string, string | Buffer, RegExp][] = [
    ['an empty file', '', /found no such block$/],
    [
      'an HTML page',
      '<!DOCTYPE html><title>404</title>',
      /^expected "-----BEGIN PGP SIGNATURE-----", found no such block$/,
    ],
    ['a key', release.armored, /^expected a PGP signature, found a PGP public key block$/],
    [
      'a key that calls itself a signature',
      release.armored.replaceAll('PUBLIC KEY BLOCK', 'SIGNATURE'),
      /other packets$/,
    ],
    ['a message that is signed', signatures.aroundText, /^expected a detached signature, found a signed message$/],
    ['a message that holds the file', signatures.withFile, /^expected a PGP signature, found a PGP message$/],
    ['two signatures in one block', signatures.byTwo, /^expected one signature, found 2$/],
    ['two blocks', release.signature + other.signature, /^expected one signature, found 2$/],
    [
      'two binary signatures',
      Buffer.concat([signatures.binary, signatures.binary]),
      /^expected one signature, found 2$/,
    ],
    ['text around a signature', `nginx 1.30.4\n${release.signature}`, /^found text around the signature$/],
    [
      'text behind a binary signature',
      Buffer.concat([signatures.binary, Buffer.from('\n')]),
      /^found a damaged signature: ./,
    ],
    [
      'a binary signature that is cut off',
      signatures.binary.subarray(0, -1),
      /^found a damaged signature: a packet is cut/,
    ],
    [
      'an armored signature that is cut off',
      armor('SIGNATURE', signatures.binary.subarray(0, 100)),
      /^found a damaged signature: a packet is cut off$/,
    ],
    ['a gzip archive', TARBALL, /found no such block$/],
  ];
  for (const [what, file, why] of refused) {
    it(`refuses ${what}`, () => {
      const answer = readSignature(Buffer.from(file));
      assert.ok(typeof answer === 'string', JSON.stringify(answer));
      assert.match(answer, why);
    });
  }
});

describe('verify', () => {
  const verdicts: [string, signature: string | Buffer, keys: Key[], Verdict][] = [
    ['finds a signature good', release.signature, [release], { kind: 'good', fingerprint: release.fingerprint }],
    [
      'says which key it is by',
      release.signature,
      [other, release],
      { kind: 'good', fingerprint: release.fingerprint },
    ],
    [
      'names the key, not the part that signed',
      parent.signature,
      [parent],
      { kind: 'good', fingerprint: parent.fingerprint },
    ],
    ['does not know other keys', other.signature, [release], { kind: 'unknown-signer', key: other.fingerprint }],
    [
      'knows no more than an id where the signature tells no more',
      claimedBy(other.fingerprint, { idOnly: true }),
      [release],
      { kind: 'unknown-signer', key: other.fingerprint.slice(-16) },
    ],
    [
      'finds by its id the key of a signature that names no more',
      claimedBy(release.fingerprint, { idOnly: true }),
      [release],
      { kind: 'bad', why: 'it is the signature of another file, or the file was changed' },
    ],
    ['tells an expired key', expired.signature, [expired], { kind: 'expired-key', fingerprint: expired.fingerprint }],
    ['takes a renewed key', renewed.signature, [renewed], { kind: 'good', fingerprint: renewed.fingerprint }],
    ['takes no key that was revoked', revoked.signature, [revoked], { kind: 'bad', why: 'the key was revoked' }],
    [
      'takes no signature that has expired itself',
      renewed.ofLimitedTime,
      [renewed],
      { kind: 'bad', why: 'the signature itself has expired' },
    ],
    [
      'takes no signature of another file',
      signatures.ofAnotherFile,
      [release],
      { kind: 'bad', why: 'it is the signature of another file, or the file was changed' },
    ],
    ['takes no weak digest', signatures.ofMd5, [release], { kind: 'bad', why: 'it cannot be checked (code 5)' }],
  ];
  for (const [what, signature, keys, verdict] of verdicts) {
    it(what, async () => assert.deepEqual(await judged(signature, ...keys), verdict));
  }

  it('says where there is no gpgv', async (t) => {
    const path = process.env['PATH'];
    t.after(() => (process.env['PATH'] = path));
    process.env['PATH'] = folder;
    assert.deepEqual(await judged(release.signature, release), { kind: 'no-gpgv' });
  });
});

const KEY = 'D6786CE303D9A9022998DC6CC8464D549AF75C0A';
const ID = KEY.slice(-16);
// Status lines as in GnuPG's doc/DETAILS.
const GOODSIG = `[GNUPG:] GOODSIG ${ID} Ann <ann@example.org>\n`;
const PART = 'AA'.repeat(20);
const VALIDSIG = `[GNUPG:] VALIDSIG ${PART} 2025-02-05 1738754633 0 4 0 1 8 00 ${KEY}\n`;
const NO_PUBKEY = `[GNUPG:] NO_PUBKEY ${ID}\n`;

describe('verdictOf', () => {
  const verdicts: [string, status: string, Verdict][] = [
    ['finds good what is both good and valid', GOODSIG + VALIDSIG, { kind: 'good', fingerprint: KEY }],
    ['does not care for the order', VALIDSIG + GOODSIG, { kind: 'good', fingerprint: KEY }],
    ['finds nothing good without words', '', { kind: 'bad', why: 'it cannot be read' }],
    ['finds nothing good that is not valid', GOODSIG, { kind: 'bad', why: 'it cannot be read' }],
    ['finds nothing good that is only valid', VALIDSIG, { kind: 'bad', why: 'it cannot be read' }],
    [
      'reads no words for people, nor those in a name',
      `gpgv: Good signature from "[GNUPG:] GOODSIG ${ID}"\n${VALIDSIG}`,
      { kind: 'bad', why: 'it cannot be read' },
    ],
    [
      'puts a bad one above all',
      `${GOODSIG}${VALIDSIG}[GNUPG:] BADSIG ${ID} Ann\n`,
      { kind: 'bad', why: 'it is the signature of another file, or the file was changed' },
    ],
    [
      'puts a revoked key above a good signature',
      `${GOODSIG}${VALIDSIG}[GNUPG:] REVKEYSIG ${ID} Ann\n`,
      { kind: 'bad', why: 'the key was revoked' },
    ],
    [
      'puts an expired signature above a good one',
      `${GOODSIG}${VALIDSIG}[GNUPG:] EXPSIG ${ID} Ann\n`,
      { kind: 'bad', why: 'the signature itself has expired' },
    ],
    [
      'puts an expired key above a good signature',
      `${GOODSIG}${VALIDSIG}[GNUPG:] EXPKEYSIG ${ID} Ann\n`,
      { kind: 'expired-key', fingerprint: KEY },
    ],
    [
      'names an unknown signer by the fingerprint',
      `[GNUPG:] ERRSIG ${ID} 1 8 00 1738754633 9 ${KEY}\n${NO_PUBKEY}`,
      { kind: 'unknown-signer', key: KEY },
    ],
    [
      'names an unknown signer without a fingerprint by the id',
      `[GNUPG:] ERRSIG ${ID} 1 8 00 1738754633 9 -\n${NO_PUBKEY}`,
      { kind: 'unknown-signer', key: ID },
    ],
    [
      'names an unknown signer by the id where gpgv is too old to say more',
      `[GNUPG:] ERRSIG ${ID} 1 8 00 1738754633 9\n${NO_PUBKEY}`,
      { kind: 'unknown-signer', key: ID },
    ],
    [
      'says the code of what cannot be checked',
      `[GNUPG:] ERRSIG ${ID} 99 8 00 1738754633 4 ${KEY}\n`,
      { kind: 'bad', why: 'it cannot be checked (code 4)' },
    ],
  ];
  for (const [what, status, verdict] of verdicts) {
    it(what, () => assert.deepEqual(verdictOf(`[GNUPG:] NEWSIG\n${status}`), verdict));
  }
});
