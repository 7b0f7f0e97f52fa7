import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UpgradeError } from '../../../src/errors.ts';
import { HelperRefused } from '../../../src/target/helper-refused.ts';
import { isHopeless } from '../../../src/target/lifeline.ts';

describe('isHopeless', () => {
  it('tries again where the way back may open, and where the host did not say a word', () => {
    const silence = new HelperRefused('shell-denied', 'nothing that was sent was run', { mayPass: true });
    const errors = [new UpgradeError('unreachable', 'refused'), new UpgradeError('connection-lost', 'reset'), silence];
    for (const error of errors) assert.equal(isHopeless(error), false, error.message);
  });

  it('gives up where another host answers, the login is refused, or another shell runs', () => {
    const named = new HelperRefused('shell-denied', 'the login runs zsh');
    const errors = [new UpgradeError('host-key', 'another'), new UpgradeError('auth', 'refused'), named];
    for (const error of errors) assert.equal(isHopeless(error), true, error.message);
  });
});
