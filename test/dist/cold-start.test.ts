import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inputsOfAnUpgrade, untilFirstByte } from '../../bench/cold-start.ts';
import { ownTempDir } from '../support/temp-dir.ts';

const dist = join(import.meta.dirname, '../../dist');

// `npm run bench -- cold-start` says more; here the best of a few tells the program from a busy machine.
describe('from its start to the first byte at a target, with nothing compiled before', () => {
  for (const entry of ['cli', 'action'] as const) {
    test(`dist/${entry}.cjs takes under 250 ms`, async () => {
      const inputs = await inputsOfAnUpgrade();
      const times: number[] = [];
      while (times.length < 5) {
        const env = { XDG_CACHE_HOME: ownTempDir() };
        times.push(await untilFirstByte({ entry, file: join(dist, `${entry}.cjs`), inputs, env }));
      }
      assert.ok(Math.min(...times) < 250, `found ${times.map(Math.round).join(', ')} ms`);
    });
  }
});
