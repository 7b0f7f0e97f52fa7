import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusOf } from '../../../src/host/status.ts';
import { factsOf, heldUpgrade, masterOf, type Raw, type Recording } from './recorded.ts';
import { NEW, OLD, scriptedAgent, scriptedRun } from './scripted-run.ts';

async function statusFrom(name: Recording, changes: Raw = {}) {
  const { agent, verbs } = scriptedAgent({ facts: [factsOf(name, changes)] });
  const run = scriptedRun(agent);
  await statusOf(run);
  assert.deepEqual([run.result.outcome, verbs()], ['reported', []]);
  return { result: run.result, notes: run.result.notes };
}

function held(changes: Raw): Raw {
  return { upgrade: heldUpgrade(changes) };
}

describe('statusOf', () => {
  it('tells what runs at rest', async () => {
    const { result, notes } = await statusFrom('systemd');
    const { sha256 } = masterOf('systemd');
    assert.deepEqual(notes, [
      `Master 41 runs 1.22.1 (${sha256}) from /usr/sbin/nginx`,
      '2 of its workers accept on 1 listeners, 0 are draining',
      'Retained binaries: none',
    ]);
    assert.deepEqual([result.state, result.version, result.guard], ['idle', OLD.version, null]);
  });

  it('tells what a rollback would go back to', async () => {
    const { notes } = await statusFrom('committed');
    const old = masterOf('local').sha256;
    assert.ok(notes.includes(`\`rollback\` would go back to 1.22.1 (${old})`), notes.join('\n'));
    assert.ok(notes.includes(`Retained binaries: ${old}`));
  });

  it('tells both sides of a held upgrade and when its guard acts', async () => {
    const { result, notes } = await statusFrom('held', held({ deadlineIn: 605 }));
    assert.deepEqual([result.state, result.version, result.previousVersion], ['held', NEW.version, OLD.version]);
    assert.deepEqual(
      [result.oldMaster?.pid, result.oldMaster],
      [masterOf('held').process.pid, masterOf('held').process],
    );
    assert.match(
      notes.join('\n'),
      /^Upgrade 1\.22\.1 to 1\.26\.3 by deploy@runner \(process 1 on runner\), phase held$/m,
    );
    assert.match(notes.join('\n'), /^Its guard rolls back in 61 s$/m);
    assert.equal(result.guard?.kind, 'detached');
    assert.ok(Math.abs(Date.parse(result.guard.deadline) - Date.now() - 60_500) < 5_000);
  });

  it('tells that nobody watches an upgrade whose guard is gone', async () => {
    const { result, notes } = await statusFrom('held', held({ guardLives: false }));
    assert.equal(result.guard, null);
    assert.ok(notes.includes('No guard watches it: run `rollback` or `commit`'));
  });

  it('counts no time below zero', async () => {
    const { notes } = await statusFrom('held', held({ deadlineIn: -30 }));
    assert.ok(notes.includes('Its guard rolls back in 0 s'));
  });

  it('names the old version while its workers serve, too, and where it serves again', async () => {
    const serving = [{ phase: 'ready', parked: false }, { phase: 'held', parked: false }, { phase: 'undoing' }];
    for (const changes of [...serving, { newLives: false }]) {
      const { result } = await statusFrom('held', held(changes));
      assert.deepEqual([result.version, result.previousVersion], [OLD.version, OLD.version], JSON.stringify(changes));
    }
  });

  it('tells of a predecessor that drains', async () => {
    const draining = { predecessor: { pid: 7, startTime: '9' }, predecessorWorkers: 3 };
    const { result, notes } = await statusFrom('committed', draining);
    assert.equal(result.state, 'draining');
    assert.ok(notes.includes('Its predecessor 7 still drains 3 workers'));
  });

  it('tells what it saw where there is no single master', async () => {
    const several = await statusFrom('ambiguous');
    assert.match(several.notes[0] ?? '', /^No single master was found\. Seen: \d+ nginx: master process/);
    const none = await statusFrom('not-running');
    assert.deepEqual(none.notes, ['No single master was found. Seen: none', 'Retained binaries: none']);
    assert.equal(none.result.state, 'broken');
  });
});
