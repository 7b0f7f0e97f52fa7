import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recover } from '../../../src/host/recovery.ts';
import { factsOf, heldUpgrade, type Raw } from './recorded.ts';
import { scriptedAgent, scriptedRun, type Script } from './scripted-run.ts';

const rest = factsOf('systemd');

function left({ lockAlive = false, ...upgrade }: Raw = {}) {
  return factsOf('held', {
    lockAlive,
    upgrade: heldUpgrade({ phase: 'ready', ...upgrade }),
  });
}

async function recovered(facts: ReturnType<typeof left>, answers: Script['answers'] = {}) {
  const scripted = scriptedAgent({ facts: [rest], answers });
  const run = scriptedRun(scripted.agent);
  const now = await recover(run, facts);
  return { now, result: run.result, asked: scripted.asked, verbs: scripted.verbs() };
}

describe('recover', () => {
  it('does nothing at rest', async () => {
    const { now, verbs, result } = await recovered(rest);
    assert.deepEqual([now, verbs, result.notes], [rest, [], []]);
  });

  it('leaves an upgrade alone that somebody is at work on, held or not', async () => {
    for (const phase of ['ready', 'held']) {
      const facts = left({ lockAlive: true, phase });
      const { now, verbs } = await recovered(facts);
      assert.deepEqual([now, verbs], [facts, []]);
    }
  });

  it('goes back where nobody is left and nothing was decided, and reads the facts anew', async () => {
    const facts = left();
    const { now, asked, result } = await recovered(facts);
    const { nonce } = facts.ours.upgrade ?? {};
    assert.deepEqual(asked, [
      ['adopt', { nonce, decide: 'rollback', why: 'abandoned' }],
      ['rollback', { why: 'abandoned' }],
    ]);
    assert.equal(now, rest);
    assert.match(result.notes.join(), /unfinished upgrade \(process 1 on runner, phase ready\) was found/);
    assert.deepEqual(
      result.phases.map(({ name }) => name),
      ['rollback', 'inspect'],
    );
  });

  it('finishes a commit that was decided', async () => {
    const { verbs } = await recovered(left({ decision: 'commit', phase: 'committing' }));
    assert.deepEqual(verbs, ['adopt', 'commit']);
  });

  it('goes on with a rollback that was decided', async () => {
    const { verbs } = await recovered(left({ decision: 'rollback', phase: 'undoing' }));
    assert.deepEqual(verbs, ['adopt', 'rollback']);
  });

  it('leaves a held upgrade as it is although its guard was killed, unless something was decided', async () => {
    assert.deepEqual((await recovered(left({ phase: 'held' }))).verbs, []);
    assert.deepEqual((await recovered(left({ phase: 'held', decision: 'rollback' }))).verbs, ['adopt', 'rollback']);
  });

  it('takes an upgrade for abandoned after a restart of the host, whoever holds its lock', async () => {
    const { now, verbs } = await recovered(left({ lockAlive: true, sameBoot: false }), { adopt: [['rebooted']] });
    assert.deepEqual([now, verbs], [rest, ['adopt']]);
  });

  it('leaves an upgrade alone where several masters run and none is named: nobody can tell whose it is', async () => {
    const { verbs } = await recovered(factsOf('ambiguous', { upgrade: heldUpgrade(), lock: [], lockAlive: false }));
    assert.deepEqual(verbs, []);
  });
});
