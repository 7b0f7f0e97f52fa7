import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UpgradeError } from '../../../src/errors.ts';
import { type Agent, openAgent } from '../../../src/target/agent.ts';
import { configOf } from '../host/scripted-run.ts';

const IDENTITY = { who: 'tester', run: 'a test' };
const TARGET = { kind: 'local', name: 'local' } as const;

/** Groups that lead a session's helper, among the processes that we started. */
function helpers(): Set<number> {
  const tasks = readdirSync('/proc/self/task');
  const children = tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '));
  const titled = children.filter((pid) => pid !== '' && titleOf(pid).includes('nginx-hot-upgrade session'));
  return new Set(titled.map(Number));
}

function titleOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // It has ended meanwhile.
  }
}

/** An agent on this machine, for an instance that is not there, and how to end its helper. */
async function localAgent(cancel = new AbortController().signal): Promise<{ agent: Agent; kill: () => void }> {
  const config = configOf({ pidFile: join(tmpdir(), 'nhu-no-such-instance', 'nginx.pid') });
  const before = helpers();
  const agent = await openAgent(TARGET, { config, identity: IDENTITY, cancel });
  return {
    agent,
    kill() {
      const [pid, ...others] = [...helpers()].filter((one) => !before.has(one));
      assert.ok(pid !== undefined && others.length === 0, 'expected one helper that is new');
      process.kill(-pid, 'SIGKILL');
    },
  };
}

describe('openAgent, with a real helper on this machine', () => {
  it('starts another helper where its own was killed, and tells for how long it heard nothing', async () => {
    const { agent, kill } = await localAgent();
    const before = performance.now();
    assert.equal((await agent.facts()).whyNot, 'not-running');
    const heard = performance.now();
    assert.deepEqual(agent.outages(), []);
    kill();
    assert.equal((await agent.facts()).whyNot, 'not-running');
    const [outage, ...more] = agent.outages();
    assert.ok(outage !== undefined && more.length === 0);
    assert.ok(before < outage.from && outage.from <= heard, 'from the last that was heard');
    assert.ok(heard < outage.to && outage.to < performance.now(), 'to the first that is heard again');
    agent.close();
  });

  it('leaves a lost connection alone once the run is cancelled', async () => {
    const cancel = new AbortController();
    const { agent, kill } = await localAgent(cancel.signal);
    await agent.facts();
    cancel.abort('SIGTERM');
    kill();
    const lost = (error: unknown) => error instanceof UpgradeError && error.reason === 'connection-lost';
    await assert.rejects(agent.facts(), lost);
    assert.deepEqual(agent.outages(), []);
    agent.close();
  });
});
