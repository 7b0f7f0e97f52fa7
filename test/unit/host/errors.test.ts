import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecidedElsewhere, REASONS, UpgradeError } from '../../../src/errors.ts';
import { keepEvidence, lockedFinding, mustSucceed } from '../../../src/host/errors.ts';
import { Refused } from '../../../src/errors.ts';
import { emptyResult } from '../../../src/host/host-run.ts';
import type { Answer } from '../../../src/target/answer.ts';
import { TARGET } from './scripted-run.ts';

const answer: Answer = { id: 1, verb: 'retire', ok: false, reason: '', message: 'the old workers accept', fields: {} };
const evidence = (log: string[], processes: string[] = []) => ({
  ...answer,
  fields: { evidenceLog: log, evidenceProcesses: processes },
});

function thrownFor(reason: string): unknown {
  try {
    mustSucceed({ ...answer, reason }, emptyResult(TARGET));
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

describe('mustSucceed', () => {
  it('hands a good answer through', () => {
    const good = { ...answer, ok: true };
    assert.equal(mustSucceed(good, emptyResult(TARGET)), good);
  });

  for (const reason of REASONS) {
    it(`keeps the reason ${reason} and the sentence of the target`, () => {
      const error = thrownFor(reason);
      assert.ok(error instanceof UpgradeError);
      assert.deepEqual([error.reason, error.message], [reason, answer.message]);
    });
  }

  it('takes a restart of the host for a change by others, and an unknown reason for an internal one', () => {
    const reasons = ['rebooted', '', 'flying'].map((reason) => {
      const error = thrownFor(reason);
      return error instanceof UpgradeError ? error.reason : error;
    });
    assert.deepEqual(reasons, ['changed-by-others', 'internal', 'internal']);
  });

  it('tells a decision of another actor from a failure', () => {
    assert.ok(thrownFor('decided') instanceof DecidedElsewhere);
  });

  it('refuses where another run holds the lock, and names that run', () => {
    const error = thrownFor('locked');
    assert.ok(error instanceof Refused);
    assert.deepEqual(error.findings, [lockedFinding(answer.message)]);
    assert.match(error.message, /^locked: another run is at work on this instance: the old workers accept$/);
  });

  it('keeps the evidence of a good answer, too', () => {
    const result = emptyResult(TARGET);
    mustSucceed({ ...evidence(['[alert] worker exited']), ok: true }, result);
    assert.deepEqual(result.evidence?.errorLog, ['[alert] worker exited']);
  });
});

describe('keepEvidence', () => {
  it('keeps what came first: later lines show the consequences', () => {
    const result = emptyResult(TARGET);
    keepEvidence(evidence(['first'], ['PID']), result);
    keepEvidence(evidence(['second'], ['OTHER']), result);
    assert.deepEqual(result.evidence, { errorLog: ['first'], probes: [], processes: ['PID'] });
  });

  it('leaves the result without evidence where the answer holds none', () => {
    const result = emptyResult(TARGET);
    keepEvidence(answer, result);
    assert.equal(result.evidence, null);
  });
});
