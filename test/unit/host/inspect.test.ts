import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cancelled } from '../../../src/host/errors.ts';
import { Refused } from '../../../src/errors.ts';
import { inspect, preflight, rulesOf, settle, stateOf } from '../../../src/host/inspect.ts';
import { UPGRADE_PHASES } from '../../../src/target/facts.ts';
import { factsOf, heldUpgrade, type Raw } from './recorded.ts';
import { BINARY, configOf, OLD, scriptedAgent, scriptedRun } from './scripted-run.ts';

const underWay = (changes: Raw) => factsOf('held', { upgrade: heldUpgrade(changes) });

describe('stateOf', () => {
  it('is idle at rest, also after an upgrade', () => {
    assert.deepEqual([factsOf('systemd'), factsOf('committed')].map(stateOf), ['idle', 'idle']);
  });

  it('is draining while the old master waits for its last connections', () => {
    const predecessor = { predecessor: { pid: 7, startTime: '9' }, predecessorWorkers: 1 };
    assert.equal(stateOf(factsOf('committed', predecessor)), 'draining');
  });

  for (const phase of UPGRADE_PHASES) {
    const state = phase === 'held' ? 'held' : 'upgrading';
    it(`is ${state} in the phase ${phase}`, () => assert.equal(stateOf(underWay({ phase })), state));
  }

  it('is broken where no master runs, and unknown where one that runs is not ours to judge', () => {
    assert.deepEqual([factsOf('not-running'), factsOf('ambiguous')].map(stateOf), ['broken', null]);
  });
});

describe('inspect', () => {
  it('writes what runs at rest into the result, and times the phase', async () => {
    const facts = factsOf('systemd');
    const run = scriptedRun(scriptedAgent({ facts: [facts] }).agent);
    assert.equal(await inspect(run), facts);
    const { result } = run;
    assert.deepEqual([result.state, result.version, result.previousVersion], ['idle', OLD.version, OLD.version]);
    assert.deepEqual([result.sha256, result.oldMaster], [facts.master?.sha256, facts.master?.process]);
    assert.deepEqual(
      result.phases.map(({ name }) => name),
      ['inspect'],
    );
    assert.match(run.said.join(), /^inspect: \d+ ms$/);
  });

  it('claims no version in the middle of an upgrade, nor without a master', async () => {
    for (const name of ['held', 'not-running'] as const) {
      const run = scriptedRun(scriptedAgent({ facts: [factsOf(name)] }).agent);
      await inspect(run);
      assert.deepEqual([run.result.version, run.result.sha256, run.result.oldMaster], [null, null, null]);
    }
  });

  it('ends there where the run was cancelled meanwhile', async () => {
    const run = scriptedRun(scriptedAgent().agent, { cancel: AbortSignal.abort('SIGTERM') });
    await assert.rejects(inspect(run), (error) => error instanceof Cancelled && error.message === 'SIGTERM');
  });
});

describe('preflight', () => {
  it('hands the inspected host on, its warnings noted', () => {
    const run = scriptedRun(scriptedAgent().agent, { binary: BINARY });
    const inspected = preflight(run, factsOf('systemd', { oldbin: '12' }));
    assert.equal(inspected.facts.master.process.pid, 41);
    assert.deepEqual(
      run.result.warnings.map(({ code }) => code),
      ['stale-oldbin'],
    );
  });

  it('refuses with all that is wrong with the host and with the binary together', () => {
    const run = scriptedRun(scriptedAgent().agent);
    const facts = factsOf('systemd', { oldbin: '12', pidText: null, daemon: 'off' });
    const all = (error: unknown) =>
      error instanceof Refused &&
      assert.deepEqual(
        error.findings.map(({ code }) => code),
        ['daemon-off', 'pid-file-missing', 'architecture'],
      ) === undefined;
    assert.throws(() => preflight({ ...run, binary: { ...BINARY, machine: 'aarch64' } }, facts), all);
    assert.equal(run.result.warnings.length, 1);
  });

  it('refuses where there is no master', () => {
    const run = scriptedRun(scriptedAgent().agent);
    assert.throws(() => preflight(run, factsOf('ambiguous')), /^Refused: ambiguous-master: /);
  });

  it('follows what the user allows', () => {
    const config = configOf({ switch: { allow: new Set(['pid-file-missing']), allowDowngrade: true } });
    const run = scriptedRun(scriptedAgent().agent, { config });
    assert.deepEqual(rulesOf(run), { allow: new Set(['pid-file-missing']), allowDowngrade: true });
    preflight(run, factsOf('systemd', { pidText: null }));
    assert.deepEqual(
      run.result.warnings.map(({ code }) => code),
      ['pid-file-missing'],
    );
  });
});

describe('settle', () => {
  it('notes the warnings before it refuses', () => {
    const run = scriptedRun(scriptedAgent().agent);
    const [warning, refusal] = ['quic', 'locked'].map((code) => ({ code, message: 'm', fix: 'f' }));
    assert.ok(warning && refusal);
    assert.throws(() => settle(run, { warnings: [warning], refusals: [refusal] }), Refused);
    assert.deepEqual(run.result.warnings, [warning]);
  });
});
