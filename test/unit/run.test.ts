import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config, Target } from '../../src/config.ts';
import { run } from '../../src/run.ts';
import { freePort } from '../support/port.ts';
import { configOf, scriptedAgent, scriptedRun } from './host/scripted-run.ts';
import { fileWith, NGINX } from './inputs/support.ts';
import { startScriptedSshd } from './scripted-sshd.ts';

const NO_INSTANCE = '/nonexistent/nhu-unit/nginx.pid';
const local = (name: string): Target => ({ kind: 'local', name });

async function nobodyThere(): Promise<Target> {
  const port = await freePort();
  return { kind: 'ssh', name: `web1:${port}`, host: '127.0.0.1', port, user: 'deploy' };
}

async function ran(changes: Partial<Omit<Config, 'switch'>>, cancel = new AbortController().signal) {
  const { log, said } = scriptedRun(scriptedAgent().agent);
  const login = { fingerprints: [`SHA256:${'A'.repeat(43)}`], agent: '/nonexistent', connectTimeout: 300 };
  const config = configOf({ pidFile: NO_INSTANCE, ssh: login, ...changes });
  const { report, binary } = await run({ config, log, cancel });
  return { report, binary, said: said.join('\n'), outcomes: report.hosts.map(({ outcome }) => outcome) };
}

describe('run', () => {
  it('reports every host, also behind one that cannot be reached', async () => {
    const targets = [await nobodyThere(), local('local')];
    const { report, outcomes } = await ran({ command: 'status', targets });
    assert.deepEqual(outcomes, ['failed', 'reported']);
    assert.deepEqual([report.outcome, report.ok, report.command], ['failed', false, 'status']);
    const [first, second] = report.hosts;
    assert.equal(first?.reason?.code, 'unreachable');
    assert.deepEqual([first.target, first.host, first.state], [targets[0]?.name, '127.0.0.1', null]);
    assert.deepEqual([second?.state, second?.reason], ['broken', null]);
    assert.ok(report.durationMs > 0 && Date.parse(report.startedAt) <= Date.now());
  });

  it('starts no further host of an upgrade after one that failed', async () => {
    const targets = [await nobodyThere(), local('second'), local('third')];
    const { report, outcomes } = await ran({ targets, binary: { kind: 'file', path: NGINX } });
    assert.deepEqual(outcomes, ['failed', 'skipped', 'skipped']);
    assert.equal(report.outcome, 'failed');
    const [, second] = report.hosts;
    assert.deepEqual([second?.target, second?.phases, second?.reason], ['second', [], null]);
    assert.match(second?.notes.join() ?? '', /Not started/);
  });

  it('starts no further host after one that refused, and says why it did', async () => {
    const { report, outcomes, said } = await ran({
      targets: [local('one'), local('two')],
      binary: { kind: 'file', path: NGINX },
    });
    assert.deepEqual(outcomes, ['refused', 'skipped']);
    const [first] = report.hosts;
    assert.deepEqual(
      first?.refusals.map(({ code }) => code),
      ['not-running'],
    );
    assert.deepEqual(first.reason, { code: 'refused', message: 'preflight refused: not-running; nothing was touched' });
    assert.match(said, /^refused, not-running: no running nginx master was found/m);
  });

  it('goes on with the next host where another command was refused', async () => {
    const { outcomes } = await ran({ command: 'plan', targets: [local('one'), local('two')] });
    assert.deepEqual(outcomes, ['refused', 'refused']);
  });

  it('starts nothing once it was cancelled', async () => {
    const { outcomes, report } = await ran({ targets: [local('one')] }, AbortSignal.abort('SIGTERM'));
    assert.deepEqual([outcomes, report.ok], [['skipped'], false]);
  });

  it('tells what binary it used', async () => {
    const { binary } = await ran({ command: 'plan', targets: [local('one')], binary: { kind: 'file', path: NGINX } });
    assert.deepEqual([binary?.size, binary?.machine], [120, 'x86_64']);
  });

  it('reports a binary that cannot be read, and does not reject for it', async () => {
    const { report, outcomes, binary } = await ran({
      targets: [local('one')],
      binary: { kind: 'file', path: `${fileWith('x', '')}.gone` },
    });
    assert.deepEqual([outcomes, binary], [['failed'], undefined]);
    assert.match(report.hosts[0]?.reason?.message ?? '', /ENOENT/);
  });

  const COMPLAINTS: [complaint: string, code: string, fix: RegExp][] = [
    ['This account is currently not available.', 'shell-denied', /POSIX shell/],
    ['sudo: a password is required', 'sudo-denied', /NOPASSWD/],
  ];
  for (const [complaint, code, fix] of COMPLAINTS) {
    it(`refuses with ${code} where the login only says "${complaint}"`, async () => {
      await using sshd = await startScriptedSshd(complaint);
      const { report } = await ran({ command: 'status', targets: [sshd.target], ssh: sshd.ssh });
      const [host] = report.hosts;
      assert.deepEqual([host?.outcome, host?.reason?.code], ['refused', 'refused']);
      const [refusal] = host?.refusals ?? [];
      assert.equal(refusal?.code, code);
      assert.ok(refusal.message.includes(complaint), refusal.message);
      assert.match(refusal.fix, fix);
    });
  }
});
