import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaints } from './support.ts';

describe('what later versions bring', () => {
  const LATER: [string, string][] = [
    ['command', 'build'],
    ['inventory', 'hosts.yml'],
    ['proxy-jump', 'jump'],
    ['transport', 'openssh'],
    ['download-url', 'https://h/nginx'],
    ['nginx-version', '1.30.4'],
    ['source-url', 'https://h/{version}'],
    ['trusted-keys', '-----BEGIN PGP PUBLIC KEY BLOCK-----'],
    ['configure-args', '--with-debug'],
    ['extra-configure-args', '--with-debug'],
    ['omit-configure-args', '--with-debug'],
    ['add-modules', 'x=/y'],
    ['openssl-version', '3.5.4'],
    ['pcre2-version', '10.45'],
    ['zlib-version', '1.3.1'],
    ['rehearse', 'true'],
    ['max-parallel', '25%'],
    ['batch-wait', '10s'],
    ['max-failures', '2'],
    ['commit-scope', 'fleet'],
  ];
  for (const [name, value] of LATER) {
    it(`answers plainly to ${name}: ${value}`, async () => {
      assert.match(await complaints(name, value), /not available yet in this version; \w+/);
    });
  }

  for (const [name, value] of [
    ['transport', 'library'],
    ['configure-args', 'inherit'],
    ['rehearse', 'false'],
    ['max-parallel', '1'],
    ['batch-wait', '0s'],
    ['max-failures', '0'],
    ['commit-scope', 'host'],
  ] as const) {
    it(`takes the one value of ${name} that there is`, async () => assert.equal(await complaints(name, value), ''));
  }

  for (const [name, value] of [
    ['download-url', 'http://h/nginx'],
    ['download-url', 'https://me:hunter22@h/nginx'],
    ['download-url', 'https://h/a b'],
    ['source-url', 'ftp://h/{version}'],
    ['nginx-version', '1.30.4;id'],
    ['openssl-version', '$(id)'],
    ['rehearse', 'yes'],
    ['max-parallel', '0'],
    ['batch-wait', '5'],
    ['max-failures', '-1'],
    ['commit-scope', 'fleets'],
    ['transport', 'opennssh'],
  ] as const) {
    it(`still refuses ${name}: ${value} for its shape`, async () => {
      const said = await complaints(name, value);
      assert.match(said, /expected|no credentials|needs a unit/);
      assert.doesNotMatch(said, /hunter22/);
    });
  }
});
