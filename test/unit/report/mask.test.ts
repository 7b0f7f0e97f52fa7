import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMask, maskAll } from '../../../src/report/mask.ts';

describe('createMask()', () => {
  it('replaces every occurrence of every form', () => {
    assert.equal(createMask(['secret', 'c2VjcmV0'])('a secret, c2VjcmV0 and secret'), 'a ***, *** and ***');
  });

  it('takes the longest form where one contains another', () => {
    assert.equal(createMask(['pass', 'passphrase'])('my passphrase'), 'my ***');
  });

  it('leaves no end of a secret that overlaps another', () => {
    assert.equal(createMask(['abcdef', 'xabc'])('-xabcdef-'), '-***-');
  });

  it('leaves no end of a secret that overlaps itself', () => {
    assert.equal(createMask(['aaaa'])('aaaaaa'), '***');
  });

  it('takes the forms literally', () => {
    assert.equal(createMask(['a.*b', '$&'])('aXb a.*b $&'), 'aXb *** ***');
  });

  it('ignores an empty form and leaves other text alone', () => {
    assert.equal(createMask([''])('nothing to hide'), 'nothing to hide');
  });
});

describe('maskAll()', () => {
  it('masks the strings at any depth and keeps numbers, null and the shape', () => {
    const value = { a: ['x key1 y', 3, null], b: { c: 'key1' }, d: true };
    assert.deepEqual(maskAll(value, createMask(['key1'])), { a: ['x *** y', 3, null], b: { c: '***' }, d: true });
  });
});
