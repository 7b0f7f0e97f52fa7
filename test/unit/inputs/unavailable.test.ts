import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaints } from './support.ts';

describe('what later versions bring', () => {
  const LATER: [string, string][] = [
    ['inventory', 'hosts.yml'],
    ['proxy-jump', 'jump'],
    ['transport', 'openssh'],
    ['certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA'],
    ['ssh-config', 'none'],
    ['nginx-version', 'installed'],
    ['openssl-version', '3.5.4'],
    ['pcre2-version', '10.45'],
    ['zlib-version', '1.3.1'],
    ['max-parallel', '25%'],
    ['batch-wait', '10s'],
    ['max-failures', '2'],
    ['max-failures', '10%'],
    ['commit-scope', 'fleet'],
  ];
  for (const [name, value] of LATER) {
    it(`answers plainly to ${name}: ${value}`, async () => {
      assert.match(await complaints(name, value), /not available yet in this version; \w+/);
    });
  }

  for (const [name, value] of [
    ['transport', 'library'],
    ['max-parallel', '1'],
    ['batch-wait', '0s'],
    ['max-failures', '0'],
    ['commit-scope', 'host'],
  ] as const) {
    it(`takes the one value of ${name} that there is`, async () => assert.equal(await complaints(name, value), ''));
  }

  for (const [name, value] of [
    ['openssl-version', '$(id)'],
    ['max-parallel', '0'],
    ['batch-wait', '5'],
    ['max-failures', '-1'],
    ['max-failures', '101%'],
    ['commit-scope', 'fleets'],
    ['transport', 'opennssh'],
  ] as const) {
    it(`still refuses ${name}: ${value} for its shape`, async () => {
      assert.match(await complaints(name, value), /expected|needs a unit/);
    });
  }
});
