import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareVersions } from '../../../src/nginx/versions.ts';

describe('compareVersions', () => {
  const OLDER: [older: string, newer: string][] = [
    ['1.9.15', '1.10.0'],
    ['1.22.1', '1.26.3'],
    ['1.26.3', '2.0.0'],
    ['1.27.1', '1.27.1.1'],
    ['1.25.3.1', '1.25.3.2'],
    ['', '0.1'],
  ];
  for (const [older, newer] of OLDER) {
    it(`finds "${older}" older than ${newer}`, () => {
      assert.ok(compareVersions(older, newer) < 0);
      assert.ok(compareVersions(newer, older) > 0);
    });
  }

  it('finds equal what differs only in zeros at the end', () => {
    assert.equal(compareVersions('1.26.0', '1.26'), 0);
    assert.equal(compareVersions('1.26.3', '1.26.3'), 0);
  });
});
