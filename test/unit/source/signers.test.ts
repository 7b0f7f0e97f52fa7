import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readPublicKeys } from '../../../src/source/public-key.ts';
import { keyOnBoard, NGINX_SIGNERS, REPOSITORY_KEYS } from '../../../src/source/signers.ts';

const KEYS = new URL('../../../src/source/keys/', import.meta.url);

describe('the keys on board', () => {
  for (const signer of NGINX_SIGNERS) {
    it(`have the pinned one of ${signer.name}, and no other in its file`, () => {
      const keys = readPublicKeys(readFileSync(new URL(`${signer.name}.asc`, KEYS), 'utf8'));
      assert.ok(typeof keys !== 'string', signer.name);
      assert.deepEqual(
        keys.map(({ fingerprint }) => fingerprint),
        [signer.fingerprint],
      );
      assert.deepEqual(keyOnBoard(signer), keys[0]);
    });
  }

  it('are those of the signers alone', () => {
    const names = NGINX_SIGNERS.map(({ name }) => `${name}.asc`);
    assert.deepEqual(readdirSync(KEYS).sort(), names.sort());
  });

  it('have no key of a package repository among them', () => {
    const pinned = new Set(NGINX_SIGNERS.map(({ fingerprint }) => fingerprint));
    assert.deepEqual(
      REPOSITORY_KEYS.filter((key) => pinned.has(key)),
      [],
    );
    for (const fingerprint of [...pinned, ...REPOSITORY_KEYS]) assert.match(fingerprint, /^[0-9A-F]{40}$/);
  });
});

describe('keyOnBoard', () => {
  it('throws where the key in the file is not the pinned one', () => {
    const fingerprint = '0'.repeat(40);
    assert.throws(() => keyOnBoard({ name: 'arut', fingerprint }), {
      message: `expected the key ${fingerprint} in keys/arut.asc, found another`,
    });
  });
});
