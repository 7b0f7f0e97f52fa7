import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dearmor } from '../../../src/source/armor.ts';
import { armor } from '../../support/signing.ts';

const [ONE, TWO] = [Buffer.from('the first bytes'), Buffer.from('and the second')];
const KEY = armor('PUBLIC KEY BLOCK', ONE);
const SIGNATURE = armor('SIGNATURE', ONE);

describe('dearmor', () => {
  const taken: [string, string][] = [
    ['as gpg writes it', SIGNATURE],
    ['with a checksum', SIGNATURE.replace('\n-----END', '\n=ZThc\n-----END')],
    ['with headers', SIGNATURE.replace('\n\n', '\nVersion: GnuPG v2\nComment: signed: by hand\n\n')],
    ['in lines', SIGNATURE.replace(/\n\n(.{8})/, '\n\n$1\n')],
    ['with lines as Windows ends them', SIGNATURE.replaceAll('\n', '\r\n')],
    ['with blanks at the end of lines', SIGNATURE.replaceAll('\n', ' \t\n')],
    ['with empty lines around it', `\n\n${SIGNATURE}\n \n`],
    ['without a line break at its end', SIGNATURE.trimEnd()],
  ];
  for (const [how, text] of taken) {
    it(`takes a block ${how}`, () => assert.deepEqual(dearmor(text, 'SIGNATURE'), [ONE]));
  }

  it('gives every block in its order', () => {
    const text = KEY + armor('PUBLIC KEY BLOCK', TWO);
    assert.deepEqual(dearmor(text, 'PUBLIC KEY BLOCK'), [ONE, TWO]);
    assert.deepEqual(dearmor(SIGNATURE + armor('SIGNATURE', TWO), 'SIGNATURE'), [ONE, TWO]);
  });

  it('takes keys with notes around them', () => {
    const text = `Of Ann:\n${KEY}and of Bob,\nsince 2024:\n${armor('PUBLIC KEY BLOCK', TWO)}-- the end\n`;
    assert.deepEqual(dearmor(text, 'PUBLIC KEY BLOCK'), [ONE, TWO]);
  });

  const AROUND = /^found text around the signature$/;
  const NONE = /^expected "-----BEGIN PGP SIGNATURE-----", found no such block$/;
  const DAMAGED = /^found a block that is cut off or damaged/;
  const refused: [string, string, RegExp][] = [
    ['nothing', '', NONE],
    ['an HTML page', '<!DOCTYPE html><title>404</title>', NONE],
    ['a block that does not end', SIGNATURE.replace(/-----END.*/, ''), DAMAGED],
    ['a block that ends as another kind', SIGNATURE.replace('END PGP SIGNATURE', 'END PGP MESSAGE'), DAMAGED],
    ['a block with characters that mean nothing', SIGNATURE.replace('\n\n', '\n\n<p>'), DAMAGED],
    ['an empty block', armor('SIGNATURE', Buffer.alloc(0)), /^found an empty block$/],
    ['a key', KEY, /^expected a PGP signature, found a PGP public key block$/],
    ['a key beside a signature', SIGNATURE + KEY, /^expected a PGP signature, found a PGP public key block$/],
    ['a message', SIGNATURE.replaceAll('SIGNATURE', 'MESSAGE'), /^expected a PGP signature, found a PGP message$/],
    ['text before the signature', `nginx 1.30.4\n${SIGNATURE}`, AROUND],
    ['text behind the signature', `${SIGNATURE}nginx 1.30.4\n`, AROUND],
    ['text between signatures', `${SIGNATURE}and\n${SIGNATURE}`, AROUND],
    ['half a signature behind a whole one', SIGNATURE + SIGNATURE.replace(/-----END.*/, ''), DAMAGED],
    [
      'a text that is signed',
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nnginx 1.30.4\n${SIGNATURE}`,
      /^expected a detached signature, found a signed message$/,
    ],
  ];
  for (const [what, text, why] of refused) {
    it(`takes no signature from ${what}`, () => {
      const answer = dearmor(text, 'SIGNATURE');
      assert.ok(typeof answer === 'string', JSON.stringify(answer));
      assert.match(answer, why);
    });
  }

  for (const [what, spoil] of [
    ['does not end', (block: string) => block.replace(/-----END.*/, '')],
    ['has characters that mean nothing', (block: string) => block.replace('\n\n', '\n\n<p>')],
  ] as const) {
    it(`loses no key in silence where one of several blocks ${what}`, () => {
      for (const text of [KEY + spoil(KEY), spoil(KEY) + KEY])
        assert.match(String(dearmor(text, 'PUBLIC KEY BLOCK')), DAMAGED);
    });
  }

  it('takes no key from a signature', () => {
    assert.equal(dearmor(SIGNATURE, 'PUBLIC KEY BLOCK'), 'expected a PGP public key block, found a PGP signature');
  });
});
