import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dearmor } from '../../../src/source/armor.ts';
import { readPackets, TAG } from '../../../src/source/packets.ts';
import { readPublicKeys, type PublicKey } from '../../../src/source/public-key.ts';
import { armor, type Key, MADE } from '../../support/signing.ts';

const { release, other, expired, renewed, soon, certified, parent } = MADE;

function keysIn(text: string): PublicKey[] {
  const keys = readPublicKeys(text);
  assert.ok(typeof keys !== 'string', text);
  return keys;
}

function bytesOf({ armored }: Key): Buffer {
  const blocks = dearmor(armored, 'PUBLIC KEY BLOCK');
  assert.ok(typeof blocks !== 'string', armored);
  return Buffer.concat(blocks);
}

/** A packet of the present form with a short body. */
function packet(tag: number, body: number[]): Buffer {
  return Buffer.of(0xc0 | tag, body.length, ...body);
}

function publicBlock(...parts: Buffer[]): string {
  return armor('PUBLIC KEY BLOCK', Buffer.concat(parts));
}

const isOfRelease = [release.fingerprint];
const isOfBoth = [release.fingerprint, other.fingerprint];

describe('readPublicKeys', () => {
  const keys: [string, Key][] = [
    ['of RSA', release],
    ['of Ed25519', other],
    ['that has expired', expired],
    ['that will expire', soon],
    ['that would have expired, and whose owner renewed it', renewed],
    ['that somebody else certified, who says nothing of its lifetime', certified],
    ['with a part that expires before it', parent],
  ];
  for (const [what, key] of keys) {
    it(`reads a key ${what} as gpg does`, () => {
      const { user, fingerprint, expires } = key;
      const known = expires === undefined ? { user, fingerprint } : { user, fingerprint, expires };
      assert.deepEqual(keysIn(key.armored), [{ ...known, bytes: bytesOf(key) }]);
    });
  }

  it('says when a key expires in milliseconds', () => {
    assert.equal(keysIn(expired.armored)[0]?.expires, Date.UTC(2020, 5, 1, 12));
  });

  it('goes by the latest that a key says of itself, wherever it stands', () => {
    const [before, after] = [readPackets(bytesOf(expired)), readPackets(bytesOf(renewed))];
    const self = [...before, ...after].filter(({ tag }) => tag === TAG.signature);
    assert.equal(self.length, 2);
    for (const signatures of [self, self.toReversed()]) {
      const parts = [...before.filter(({ tag }) => tag !== TAG.signature), ...signatures].map(({ bytes }) => bytes);
      assert.equal(keysIn(publicBlock(...parts))[0]?.expires, undefined);
    }
  });

  const id = soon.fingerprint.slice(-16);
  const lifetime = Buffer.alloc(4);
  lifetime.writeUInt32BE((soon.expires ?? 0) / 1000 - bytesOf(soon).readUInt32BE(3));
  // Subpackets (RFC 9580, section 5.2.3.7) of the key's signature on its name: 16 and 33 say who made it, 9 the lifetime.
  const variants: [string, was: string, is: string][] = [
    ['that names itself by its id alone', `162104${soon.fingerprint}`, `166404${soon.fingerprint}`],
    ['that names itself by its fingerprint alone', `0910${id}`, `0964${id}`],
    ['that says something else where nothing is signed', `0910${id}`, `0909${id}`],
    ['that insists on its lifetime', `0509${lifetime.toString('hex')}`, `0589${lifetime.toString('hex')}`],
  ];
  for (const [what, was, is] of variants) {
    it(`knows when a key expires ${what}`, () => {
      const bytes = bytesOf(soon);
      const at = bytes.indexOf(Buffer.from(was, 'hex'));
      assert.notEqual(at, -1);
      bytes.write(is, at, 'hex');
      assert.equal(keysIn(publicBlock(bytes))[0]?.expires, soon.expires);
    });
  }

  const several: [string, text: string, fingerprints: string[]][] = [
    ['two keys in one block', MADE.releaseAndOther, isOfBoth],
    ['two blocks', release.armored + other.armored, isOfBoth],
    ['two blocks with notes around', `# Ann\n${release.armored}\n# Bob\n${other.armored}\n# end\n`, isOfBoth],
    ['lines as Windows ends them', release.armored.replaceAll('\n', '\r\n'), isOfRelease],
    ['a block without its checksum', release.armored.replace(/\n=.{4}\n/, '\n'), isOfRelease],
    ['a block with headers', release.armored.replace('\n\n', '\nVersion: GnuPG v2\nComment: Ann\n\n'), isOfRelease],
  ];
  for (const [what, text, fingerprints] of several) {
    it(`reads ${what}`, () => {
      assert.deepEqual(
        keysIn(text).map(({ fingerprint }) => fingerprint),
        fingerprints,
      );
    });
  }

  it('keeps all parts of a key together, and apart from the next', () => {
    const [first, second] = keysIn(publicBlock(bytesOf(parent), bytesOf(other)));
    assert.deepEqual(first?.bytes, bytesOf(parent));
    assert.deepEqual(second?.bytes, bytesOf(other));
  });

  const PRIVATE = /^expected public keys, found a private one: withdraw it$/;
  const refused: [string, text: string, RegExp][] = [
    ['a private key', MADE.secret, PRIVATE],
    ['a private key beside a public one', release.armored + MADE.secret, PRIVATE],
    [
      'a private key by another name',
      MADE.secret.replaceAll('PRIVATE', 'PUBLIC'),
      /^found a damaged key: a private key$/,
    ],
    ['nothing', '', /^expected "-----BEGIN PGP PUBLIC KEY BLOCK-----", found no such block$/],
    ['a fingerprint', release.fingerprint, /found no such block$/],
    ['the bytes of a key without armor', bytesOf(release).toString('latin1'), /found no such block$/],
    ['a block that does not end', release.armored.replace(/-----END.*/, ''), /cut off or damaged/],
    ['a signature', release.signature, /^expected a PGP public key block, found a PGP signature$/],
    ['an empty block', publicBlock(), /^found an empty block$/],
    [
      'a block of which lines are missing',
      release.armored.replace(/(\n\n.{64})(?:\n.{64}){3}/, '$1'),
      /^found a damaged key: ./,
    ],
    [
      'a key that is cut off',
      publicBlock(bytesOf(release).subarray(0, -1)),
      /^found a damaged key: a packet is cut off$/,
    ],
    ['bytes behind a key', publicBlock(bytesOf(release), Buffer.of(0)), /^found a damaged key: no OpenPGP packet$/],
    ['a name without a key', publicBlock(packet(TAG.user, [0x41])), /^found no key in the block$/],
    ['a key of an old version', publicBlock(packet(TAG.publicKey, [3, 0, 0, 0, 0])), /of another version than 4$/],
    ['a key of a newer version', publicBlock(packet(TAG.publicKey, [6, 0, 0, 0, 0])), /of another version than 4$/],
    ['a key without anything', publicBlock(packet(TAG.publicKey, [])), /of another version than 4$/],
    ['a key without a date', publicBlock(packet(TAG.publicKey, [4, 0])), /^found a damaged key: ./],
    [
      'a damaged key behind a good one',
      release.armored + publicBlock(bytesOf(other).subarray(0, -1)),
      /^found a damaged/,
    ],
  ];
  for (const [what, text, why] of refused) {
    it(`refuses ${what}`, () => {
      const answer = readPublicKeys(text);
      assert.ok(typeof answer === 'string', JSON.stringify(answer));
      assert.match(answer, why);
    });
  }

  it('never fails, whatever byte of a key is wrong and wherever it ends', () => {
    const real = bytesOf(soon);
    for (let offset = 0; offset < real.length; offset++) {
      for (const value of [0x00, 0x7f, 0xff]) {
        const broken = Buffer.from(real);
        broken[offset] = value;
        readPublicKeys(publicBlock(broken));
      }
      readPublicKeys(publicBlock(real.subarray(0, offset)));
    }
  });
});
