import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PREFLIGHT_CODES } from '../../../src/host/preflight/codes.ts';
import { ask, complaints, LOCAL } from './support.ts';

describe('allow', () => {
  it('takes codes that can be survived', async () => {
    for (const [code, severity] of PREFLIGHT_CODES) {
      assert.equal((await complaints('allow', code)) === '', severity !== 'refuses', code);
    }
  });

  it('refuses the rest, with the way that there is', async () => {
    assert.match(await complaints('allow', 'downgrade'), /cannot be allowed.*"allow-downgrade: true"/);
    assert.match(await complaints('allow', 'forwarding-denied'), /"health-from: runner"/);
    assert.match(await complaints('allow', 'same-binary'), /outcome is "unchanged"/);
    assert.match(
      await complaints('allow', 'config-drifts'),
      /no preflight code "config-drifts"\. Did you mean "config-drift"/,
    );
  });

  it('says that a warning need not be allowed', async () => {
    const { parsed } = await ask({ ...LOCAL, allow: 'stale-oldbin' });
    assert.deepEqual(parsed?.warnings, [{ input: 'allow', message: '"stale-oldbin" only warns anyway' }]);
  });
});
