import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rollbackHost } from '../../../src/host/rollback.ts';
import { ClosedMeanwhile } from '../../../src/target/agent.ts';
import { factsOf } from './recorded.ts';
import { type Scripted, scriptedAgent, scriptedRun } from './scripted-run.ts';

async function rolledBack(adopt: Scripted) {
  const { agent, verbs } = scriptedAgent({ facts: [factsOf('held')], answers: { adopt: [adopt] } });
  const run = scriptedRun(agent);
  const error: unknown = await rollbackHost(run).then(
    () => null,
    (cause: unknown) => cause,
  );
  return { result: run.result, error, verbs: verbs() };
}

describe('a rollback of a held upgrade', () => {
  for (const [how, adopt] of [
    ['ended this run for it', new ClosedMeanwhile('rolled-back', 'asked')],
    ['was done before this run took over', ['changed-by-others', { outcome: 'rolled-back', why: 'asked' }]],
  ] satisfies [string, Scripted][]) {
    it(`has succeeded where the guard carried it out and ${how}`, async () => {
      const { result, error, verbs } = await rolledBack(adopt);
      assert.deepEqual([error, verbs], [null, ['adopt']]);
      assert.deepEqual([result.outcome, result.reason, result.state], ['rolled-back', null, 'idle']);
    });
  }

  it('has failed, and says what to do, where the upgrade was committed before', async () => {
    const { result, error } = await rolledBack(['changed-by-others', { outcome: 'committed', why: 'run' }]);
    assert.deepEqual([error, result.outcome, result.reason?.code], [null, 'failed', 'changed-by-others']);
    assert.match(result.reason?.message ?? '', /closed meanwhile .* run `rollback` again/);
  });

  it('has failed where nobody knows how it was closed', async () => {
    const { error } = await rolledBack(['changed-by-others']);
    assert.match(String(error), /changed-by-others/);
    const { result } = await rolledBack(new ClosedMeanwhile('', ''));
    assert.deepEqual([result.outcome, result.reason?.code], ['failed', 'internal']);
  });
});
