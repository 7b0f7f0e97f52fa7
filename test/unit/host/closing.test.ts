import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UpgradeError } from '../../../src/errors.ts';
import { closedAs, commit, hold, rollBack } from '../../../src/host/closing.ts';
import { NotAsMeant } from '../../../src/host/errors.ts';
import type { HostResult } from '../../../src/report/result.ts';
import { NEW, OLD, scriptedAgent, scriptedRun, type Scripted, SIDES } from './scripted-run.ts';

const master = { pid: 900, startTime: '5200' };
const serving = { master, diskRuns: true, poisoned: false, pidText: '900', accepting: 2, oldGone: true };
const committed = { ...serving, runningSha256: NEW.sha256 };
const undone = { ...serving, runningSha256: OLD.sha256, outcome: 'rolled-back' };

function closed(outcome: string, why = 'run'): HostResult {
  const run = scriptedRun(scriptedAgent().agent);
  run.result.oldMaster = { pid: 700, startTime: '1' };
  run.result.newMaster = master;
  run.result.reason = { code: 'unhealthy', message: 'red' };
  closedAs(run, { outcome, why, sides: SIDES });
  return run.result;
}

function asking(answers: Record<string, Scripted[]>) {
  const script = scriptedAgent({ answers });
  return { ...script, run: scriptedRun(script.agent) };
}

describe('closedAs', () => {
  it('names the old side after a rollback, and keeps the cause', () => {
    const result = closed('rolled-back');
    assert.deepEqual([result.outcome, result.state, result.reason?.code], ['rolled-back', 'idle', 'unhealthy']);
    assert.deepEqual([result.version, result.sha256, result.previousSha256], [OLD.version, OLD.sha256, OLD.sha256]);
  });

  it('names the new side after a commit, and nothing that would be a failure', () => {
    const result = closed('committed');
    assert.deepEqual([result.outcome, result.state, result.reason], ['upgraded', 'idle', null]);
    assert.deepEqual([result.version, result.sha256], [NEW.version, NEW.sha256]);
    assert.deepEqual([result.previousVersion, result.previousSha256], [OLD.version, OLD.sha256]);
  });

  it('is a failure where the old master was ended by others, although the new version serves', () => {
    const result = closed('changed-by-others', 'old-master-gone');
    assert.deepEqual([result.outcome, result.state, result.version], ['failed', 'idle', NEW.version]);
    assert.equal(result.reason?.code, 'changed-by-others');
  });

  it('claims no version where the service was stopped by others', () => {
    const result = closed('changed-by-others', 'service-stopped');
    assert.deepEqual([result.outcome, result.state, result.version], ['failed', 'broken', null]);
    assert.match(result.reason?.message ?? '', /stopped by others: nothing runs/);
  });

  it('names the old side where others restarted the service, and them for the cause', () => {
    const result = closed('rolled-back', 'service-restarted');
    const { outcome, version, reason } = result;
    assert.deepEqual([outcome, version, reason?.code], ['rolled-back', OLD.version, 'changed-by-others']);
    assert.deepEqual(closed('changed-by-others', 'service-restarted').version, null);
  });

  it('is a failure with the old side serving where nothing was begun', () => {
    const result = closed('untouched');
    assert.deepEqual([result.outcome, result.state, result.version], ['failed', 'idle', OLD.version]);
  });

  it('tells an outage, and whether the old version could be started anew', () => {
    const started = closed('outage', 'new-master-died');
    assert.deepEqual([started.outcome, started.state, started.reason?.code], ['failed', 'idle', 'outage']);
    assert.match(started.reason?.message ?? '', /\(new-master-died\); the old version was started anew$/);
    const down = closed('down');
    assert.deepEqual([down.outcome, down.state, down.reason?.code], ['failed', 'broken', 'outage']);
    assert.match(down.reason?.message ?? '', /starting the old version failed too$/);
  });

  it('claims no version where others put a file at the path, and says how to end it by hand', () => {
    const result = closed('changed-by-others');
    assert.deepEqual([result.outcome, result.state, result.version, result.sha256], ['failed', 'broken', null, null]);
    assert.match(result.notes.join('\n'), /kill -QUIT 700\. To go back: kill -HUP 700, .* kill -QUIT 900/);
  });

  it('takes an outcome that it does not know for a failure', () => {
    assert.equal(closed('flying').outcome, 'failed');
  });
});

describe('commit', () => {
  it('writes what the target answered into the result', async () => {
    const { run } = asking({ commit: [committed] });
    await commit(run, SIDES);
    const { result } = run;
    assert.deepEqual([result.drained, result.state, result.version], [true, 'idle', NEW.version]);
    assert.deepEqual([result.sha256, result.previousSha256, result.newMaster], [NEW.sha256, OLD.sha256, master]);
    assert.deepEqual(
      result.phases.map(({ name }) => name),
      ['commit', 'verify'],
    );
  });

  it('says draining where the old master still waits for its connections', async () => {
    const { run } = asking({ commit: [{ ...committed, oldGone: false }] });
    await commit(run, SIDES);
    assert.deepEqual([run.result.drained, run.result.state], [false, 'draining']);
  });

  it('tells of a master that must not be reloaded', async () => {
    const { run } = asking({ commit: [{ ...committed, poisoned: true }] });
    await commit(run, SIDES);
    assert.match(run.result.notes.join(), /Do not reload nginx now: its master 900 serves.*restart nginx once/);
  });

  const DOUBTS: [what: string, answer: Record<string, unknown>, says: RegExp][] = [
    ['another file runs', { runningSha256: OLD.sha256 }, /has the digest 0a0a.*, expected 1b1b/],
    ['another file is on disk', { diskRuns: false }, /file on disk is not the one that runs/],
    ['the pid file names another process', { pidText: '7' }, /holds "7", expected 900/],
    ['nobody accepts', { accepting: 0 }, /no worker accepts/],
  ];
  for (const [what, changes, says] of DOUBTS) {
    it(`does not believe the commit where ${what}`, async () => {
      const { run } = asking({ commit: [{ ...committed, ...changes }] });
      const doubted = (error: unknown) => error instanceof NotAsMeant && error.reason === 'changed-by-others';
      await assert.rejects(commit(run, SIDES), (error) => doubted(error) && says.test(String(error)));
    });
  }

  it('names all doubts together', async () => {
    const { run } = asking({ commit: [{ ...committed, diskRuns: false, accepting: 0 }] });
    await assert.rejects(commit(run, SIDES), /not the one that runs; no worker accepts$/);
  });

  it('is an outage where no master is left', async () => {
    const { run } = asking({ commit: [{ ...committed, master: null }] });
    await assert.rejects(commit(run, SIDES), (error) => error instanceof NotAsMeant && error.reason === 'outage');
    assert.deepEqual([run.result.state, run.result.version, run.result.sha256], ['broken', null, null]);
  });

  it('ends as the target closed it where it could not be committed', async () => {
    const { run } = asking({ commit: [['outage', { outcome: 'changed-by-others', why: 'install-failed' }]] });
    await assert.rejects(commit(run, SIDES), {
      name: 'ClosedMeanwhile',
      outcome: 'changed-by-others',
      why: 'install-failed',
    });
  });

  it('knows no why where the target names none', async () => {
    const { run } = asking({ commit: [['outage', { outcome: 'down' }]] });
    await assert.rejects(commit(run, SIDES), { name: 'ClosedMeanwhile', outcome: 'down', why: '' });
  });

  it('ends with the reason where the books stay open', async () => {
    const { run } = asking({ commit: [['new-master-died', { outcome: 'stuck' }]] });
    await assert.rejects(
      commit(run, SIDES),
      (error) => error instanceof UpgradeError && error.reason === 'new-master-died',
    );
  });
});

describe('hold', () => {
  it("tells the guard's kind and the time until which it waits", async () => {
    const { run } = asking({ hold: [{ deadlineIn: 9_000, guardKind: 'systemd', parked: true }] });
    const from = Date.now();
    await hold(run, SIDES);
    const { result } = run;
    assert.deepEqual([result.outcome, result.state, result.version], ['held', 'held', NEW.version]);
    assert.equal(result.guard?.kind, 'systemd');
    const ahead = Date.parse(result.guard.deadline) - from;
    assert.ok(ahead >= 900_000 && ahead < 905_000, `${ahead} ms`);
    assert.deepEqual(result.notes, []);
  });

  it('says so where both generations accept', async () => {
    const { run } = asking({ hold: [{ deadlineIn: 9_000, guardKind: 'detached', parked: false }] });
    await hold(run, SIDES);
    assert.match(run.result.notes.join('\n'), /held before WINCH/);
  });
});

describe('rollBack', () => {
  it('tells the target why, reads back and names the old side', async () => {
    const { run, asked } = asking({ rollback: [undone] });
    await rollBack(run, { why: 'unhealthy', sides: SIDES });
    assert.deepEqual(asked, [['rollback', { why: 'unhealthy' }]]);
    assert.deepEqual([run.result.outcome, run.result.sha256], ['rolled-back', OLD.sha256]);
  });

  it('does not believe a rollback after which the new file runs', async () => {
    const { run } = asking({ rollback: [{ ...undone, runningSha256: NEW.sha256 }] });
    const says = (error: unknown) => error instanceof NotAsMeant && /has the digest 1b1b/.test(error.message);
    await assert.rejects(rollBack(run, { why: 'asked', sides: SIDES }), says);
  });

  it('reads nothing back where nothing was begun', async () => {
    const { run } = asking({ rollback: [{ outcome: 'untouched' }] });
    await rollBack(run, { why: 'not-ready', sides: SIDES });
    assert.deepEqual([run.result.outcome, run.result.state], ['failed', 'idle']);
  });
});
