import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFingerprints } from '../../../src/ssh/fingerprints.ts';
import { fakeKey } from '../../support/host-keys.ts';

const pin = 'SHA256:r7j967+vor0zrfWicCmx50blBCgzVtd25k+wDZ4/Isg';
const body = pin.slice('SHA256:'.length);

describe('parseFingerprints', () => {
  it('takes several pins, leaves out comments and blanks, and keeps each once', () => {
    const other = fakeKey('ssh-rsa').fingerprint;
    assert.deepEqual(parseFingerprints(['# web1', ` ${pin} `, '', other, pin]), {
      pins: [pin, other],
      problems: [],
      notes: [],
    });
  });

  it('leaves out padding and says so', () => {
    const { pins, problems, notes } = parseFingerprints([`${pin}=`]);
    assert.deepEqual({ pins, problems }, { pins: [pin], problems: [] });
    assert.match(notes[0] ?? '', /padding/);
  });

  const refused: [name: string, line: string, problem: RegExp][] = [
    ['MD5 with its prefix', 'MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48', /MD5 .* forged/],
    ['MD5 without a prefix', '16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48', /MD5 .* forged/],
    ['SHA-1', 'SHA1:cLFAdvNhsCFKoVzHBdCR8N3OYQY', /SHA-1 .* forged/],
    ['a missing prefix', body, /no prefix: write SHA256:/],
    ['a lower-case prefix', `sha256:${body}`, /was it lower-cased/],
    ['a fingerprint that was lower-cased behind its prefix', `SHA256:${body.toLowerCase()}`, /only lower-case/],
    ['hexadecimal', `SHA256:${'0f'.repeat(32)}`, /in hexadecimal/],
    ['a cut fingerprint', pin.slice(0, -1), /found 42 characters/],
    ['base64url', `SHA256:${body.replaceAll('+', '-').replaceAll('/', '_')}`, /characters that base64 does not have/],
    ['an impossible last character', `${pin.slice(0, -1)}h`, /last character/],
    ['a public key', fakeKey('ssh-ed25519').line.split(' ')[1] ?? '', /belongs into known-hosts/],
    ['a whole line of ssh-keygen', `256 ${pin} web1 (ED25519)`, /several words/],
    ['nonsense', 'fingerprint', /found something else/],
    ...['*', 'any', 'none', 'no', 'Off', 'accept-new'].map((word): [string, string, RegExp] => [
      `"${word}"`,
      word,
      /no way to trust any key/,
    ]),
  ];
  for (const [name, line, problem] of refused) {
    it(`refuses ${name} in its own words`, () => {
      const { pins, problems } = parseFingerprints([pin, line]);
      assert.deepEqual(pins, [pin]);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', /^entry 2: expected SHA256: and 43 base64 characters/);
      assert.match(problems[0] ?? '', problem);
    });
  }
});
