import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BuildSource } from '../../../src/config.ts';
import { BUILD, refusal, sourceOf } from './builds.ts';
import { ask } from './support.ts';

describe('nginx-version', () => {
  const TAKEN: [string, BuildSource['wish']][] = [
    ['1.30.4', { kind: 'exact', version: '1.30.4' }],
    ['0.8.55', { kind: 'exact', version: '0.8.55' }],
    ['10.30.100', { kind: 'exact', version: '10.30.100' }],
    ['1.30', { kind: 'line', line: '1.30' }],
    ['stable', { kind: 'stable' }],
    ['mainline', { kind: 'mainline' }],
  ];
  for (const [version, wish] of TAKEN) {
    it(`takes ${version}`, async () => assert.deepEqual((await sourceOf({ 'nginx-version': version })).wish, wish));
  }

  for (const version of ['1.30.4', '1.30']) {
    it(`reads v${version} as ${version}, and says so`, async () => {
      const { parsed } = await ask({ ...BUILD, 'nginx-version': `v${version}` });
      assert.ok(parsed?.config.binary?.kind === 'build');
      assert.deepEqual(parsed.config.binary.wish, (await sourceOf({ 'nginx-version': version })).wish);
      const message = `"v${version}" is read as ${version}`;
      assert.deepEqual(parsed.warnings, [{ input: 'nginx-version', message }]);
    });
  }

  const REFUSED: [string, RegExp][] = [
    ['1.30.4-1~bookworm', /belongs to a distribution: leave it out$/],
    ['1.30.4+dfsg', /belongs to a distribution: leave it out$/],
    ['latest', /"mainline" for the newest, "stable" for the newest stable one$/],
    ['01.2.3', /Numbers have no leading zero$/],
    ['1.030', /Numbers have no leading zero$/],
    ['1.00', /Numbers have no leading zero$/],
    ['stabel', /Did you mean "stable"\?$/],
    ['Mainline', /Did you mean "mainline"\?$/],
    ['1', /found "1"\.$/],
    ['1.30.', /found "1\.30\."\.$/],
    ['1.30.4.1', /found "1\.30\.4\.1"\.$/],
    ['1.30.x', /found "1\.30\.x"\.$/],
    ['nginx-1.30.4-1', /found "nginx-1\.30\.4-1"\.$/],
    ['1.v30', /found "1\.v30"\.$/],
    ['vv1.30', /found "vv1\.30"\.$/],
    ['1.30\n1.31', /found "1\.30\\n1\.31"\.$/],
  ];
  for (const [version, why] of REFUSED) {
    it(`refuses ${JSON.stringify(version)}`, async () => {
      const said = await refusal({ 'nginx-version': version });
      assert.match(said, /^nginx-version: expected a version such as 1\.30\.4 or 1\.30, stable or mainline, found "/);
      assert.match(said, why);
    });
  }
});
