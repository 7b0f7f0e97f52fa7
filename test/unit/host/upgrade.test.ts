import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refused } from '../../../src/errors.ts';
import { upgradeHost } from '../../../src/host/upgrade.ts';
import { factsOf, heldUpgrade, masterOf } from './recorded.ts';
import {
  BINARY,
  configOf,
  NEW,
  NONCE,
  OLD,
  scriptedAgent,
  scriptedRun,
  type Script,
  type Scripted,
} from './scripted-run.ts';

const newMaster = { pid: 900, startTime: '5200' };
const serving = {
  master: newMaster,
  runningSha256: NEW.sha256,
  diskRuns: true,
  poisoned: false,
  pidText: '900',
  accepting: 2,
};
const old = masterOf('systemd');
const back = { ...serving, master: old.process, pidText: '41', runningSha256: old.sha256, outcome: 'rolled-back' };
const WELL: Script['answers'] = {
  check: [{ versionExit: 0, untested: '', build: '', test: [], left: [], testExit: 0 }],
  begin: [{ newMaster }],
  commit: [{ ...serving, oldGone: true }],
  rollback: [back],
};
const UNTIL_RETIRED = ['prepare', 'receive', 'check', 'begin', 'retire'];

async function upgraded(script: Script, changes: Parameters<typeof scriptedRun>[1] = {}) {
  const scripted = scriptedAgent({ ...script, answers: { ...WELL, ...script.answers } });
  const run = scriptedRun(scripted.agent, { binary: BINARY, ...changes });
  await upgradeHost(run);
  return { result: run.result, verbs: scripted.verbs(), asked: scripted.asked };
}

describe('upgradeHost', () => {
  it('stages, begins, retires and commits, one request a step', async () => {
    const { result, verbs } = await upgraded({});
    assert.deepEqual(verbs, [...UNTIL_RETIRED, 'commit']);
    assert.deepEqual([result.outcome, result.state, result.reason], ['upgraded', 'idle', null]);
    assert.deepEqual([result.previousVersion, result.version], [OLD.version, NEW.version]);
    assert.deepEqual([result.oldMaster, result.newMaster], [old.process, newMaster]);
    assert.deepEqual(
      result.phases.map(({ name }) => name),
      ['inspect', 'obtain', 'stage', 'swap', 'ready', 'retire', 'commit', 'verify'],
    );
  });

  it('tells the target how many workers have to accept, and all times in tenths of a second', async () => {
    const { asked } = await upgraded({ facts: [factsOf('systemd', { workerProcesses: 'auto', cpus: 4 })] });
    const { nonce, ...fields } = asked[0]?.[1] ?? {};
    assert.match(String(nonce), /^[0-9a-f]{12}$/);
    const times = { confirm: 1_200, ready: 150, drain: 600, hold: 9_000 };
    const what = { kind: 'upgrade', sha256: NEW.sha256, blake: '', old_version: OLD.version, new_version: NEW.version };
    assert.deepEqual(fields, { ...what, hand: '', modules: '', ...times, need: 4, cover: 4, keep: 3, repair: 'no' });
  });

  it('wants one worker to cover the listeners under accept_mutex, and one in all without worker_processes', async () => {
    const { asked } = await upgraded({ facts: [factsOf('systemd', { acceptMutex: 'on', workerProcesses: '' })] });
    assert.deepEqual([asked[0]?.[1]['need'], asked[0]?.[1]['cover']], [1, 1]);
  });

  it('does nothing where the target runs this very binary', async () => {
    const { result, verbs } = await upgraded({}, { binary: { ...BINARY, sha256: old.sha256 } });
    assert.deepEqual([result.outcome, verbs], ['unchanged', []]);
  });

  it('holds where it was asked not to commit', async () => {
    const config = configOf({ switch: { autoCommit: false } });
    const hold = [{ deadlineIn: 9_000, guardKind: 'systemd', parked: true }];
    const { result, verbs } = await upgraded({ answers: { hold } }, { config });
    assert.deepEqual(verbs, [...UNTIL_RETIRED, 'hold']);
    assert.deepEqual([result.outcome, result.reason], ['held', null]);
  });

  for (const [verb, reason] of [
    ['begin', 'not-ready'],
    ['retire', 'workers-crashing'],
    ['commit', 'new-master-died'],
  ] as const) {
    it(`goes back where ${verb} fails, and names why`, async () => {
      const { result, verbs } = await upgraded({ answers: { [verb]: [[reason, { evidenceLog: ['[alert] a'] }]] } });
      assert.equal(verbs.at(-1), 'rollback');
      assert.deepEqual([result.outcome, result.state, result.reason?.code], ['rolled-back', 'idle', reason]);
      assert.deepEqual(result.evidence?.errorLog, ['[alert] a']);
    });
  }

  it('has nothing to go back from where the file does not arrive: it is removed, and that is all', async () => {
    const gone = ['changed-by-others'] satisfies Scripted;
    const { result, verbs } = await upgraded({ answers: { receive: [['upload-failed']], rollback: [gone] } });
    assert.equal(verbs.includes('begin'), false);
    assert.deepEqual([result.outcome, result.reason?.code], ['failed', 'upload-failed']);
    assert.deepEqual([result.state, result.version], ['idle', OLD.version]);
    assert.doesNotMatch(result.notes.join('\n'), /guard/);
  });

  it('does not touch the files of another run that holds the lock', async () => {
    const scripted = scriptedAgent({ answers: { prepare: [['locked']] } });
    await assert.rejects(upgradeHost(scriptedRun(scripted.agent, { binary: BINARY })), /^Refused: locked: /);
    assert.ok(!scripted.verbs().includes('unstage'));
  });

  it('takes it as it is where the target itself went back in the middle of the commit', async () => {
    const closed = { outcome: 'rolled-back', why: 'new-master-died' };
    const { result, verbs } = await upgraded({ answers: { commit: [['new-master-died', closed]] } });
    assert.deepEqual(verbs, [...UNTIL_RETIRED, 'commit']);
    assert.deepEqual([result.outcome, result.state, result.reason?.code], ['rolled-back', 'idle', 'new-master-died']);
    assert.deepEqual([result.version, result.sha256], [OLD.version, old.sha256]);
  });

  it('goes on with the same binary that is held there, and adopts it first', async () => {
    const upgrade = heldUpgrade({ new_sha: NEW.sha256, nonce: NONCE });
    const { result, asked } = await upgraded({ facts: [factsOf('held', { upgrade })] });
    assert.deepEqual(asked, [
      ['adopt', { nonce: NONCE }],
      ['commit', {}],
    ]);
    assert.deepEqual([result.outcome, result.version], ['upgraded', NEW.version]);
  });

  it('refuses where another binary is held there', async () => {
    await assert.rejects(upgraded({ facts: [factsOf('held')] }), (error) => {
      assert.ok(error instanceof Refused);
      assert.match(error.message, /^upgrade-in-progress: .* held on this host by deploy@runner/);
      return true;
    });
  });

  it('does not try to go back after QUIT, whatever is found then, and names what serves', async () => {
    const { result, verbs } = await upgraded({ answers: { commit: [{ ...serving, oldGone: true, pidText: '7' }] } });
    assert.deepEqual(verbs, [...UNTIL_RETIRED, 'commit']);
    assert.deepEqual([result.outcome, result.reason?.code], ['failed', 'changed-by-others']);
    assert.match(result.reason?.message ?? '', /pid file holds "7", expected 900/);
    assert.deepEqual([result.version, result.sha256, result.newMaster], [NEW.version, NEW.sha256, newMaster]);
  });

  it('is broken, and no version serves, where no master is found after QUIT', async () => {
    const { result, verbs } = await upgraded({ answers: { commit: [{ oldGone: true, master: null }] } });
    assert.equal(verbs.at(-1), 'commit');
    assert.deepEqual([result.outcome, result.reason?.code, result.state], ['failed', 'outage', 'broken']);
    assert.deepEqual([result.version, result.sha256], [null, null]);
  });
});
