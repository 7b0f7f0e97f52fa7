import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refused, UpgradeError } from '../../../src/errors.ts';
import { type Staged, stage } from '../../../src/host/staging.ts';
import { factsOf, masterOf } from './recorded.ts';
import { BINARY, configOf, NONCE, scriptedAgent, scriptedRun, type Scripted } from './scripted-run.ts';

const passed = { versionExit: 0, untested: '', build: '', test: [], left: [], testExit: 0 };
const FILE: Staged = { kind: 'upgrade', sha256: BINARY.sha256, build: BINARY.build };

function staging(answer: Scripted, { rehearse = true, kind = FILE.kind } = {}) {
  const scripted = scriptedAgent({ answers: { check: [passed], rehearse: [answer] } });
  const config = configOf({ switch: { rehearse } });
  const run = {
    ...scriptedRun(scripted.agent, { config, binary: BINARY }),
    facts: { ...factsOf('systemd'), master: masterOf('systemd') },
  };
  return { ...scripted, run, staged: stage(run, { ...FILE, kind }) };
}

const refusal = async (staged: Promise<unknown>) => {
  const error: unknown = await staged.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Refused, String(error));
  return error.findings.map(({ code, message }) => `${code}: ${message}`).join('\n');
};

describe('a rehearsal', () => {
  it('comes once all else was judged, and is noted where it went well', async () => {
    const { staged, verbs, run, asked } = staging({ exit: 0, said: [], poisoned: false });
    await staged;
    assert.deepEqual(verbs(), ['prepare', 'check', 'rehearse']);
    assert.deepEqual(asked.at(-1)?.[1], { nonce: NONCE });
    assert.match(run.result.notes.join(), /^Rehearsed: /);
  });

  it('is left out where nobody asked for it, and for a plan', async () => {
    for (const how of [{ rehearse: false }, { kind: 'plan' as const }]) {
      const { staged, verbs } = staging({}, how);
      await staged;
      assert.deepEqual(verbs(), ['prepare', 'check']);
    }
  });

  it("refuses for what the binary said under the master's conditions, and removes what was staged", async () => {
    const said = ['nginx: [emerg] open() "/etc/nginx/a.conf" failed (13: Permission denied)'];
    const { staged, verbs } = staging({ exit: 1, said, poisoned: false });
    assert.match(await refusal(staged), /^config-test-failed: .*a\.conf" failed \(13/);
    assert.equal(verbs().at(-1), 'unstage');
  });

  it('goes on where new modules cannot be put at their paths for it, and says so', async () => {
    const { staged, run } = staging({ exit: 125, said: [], poisoned: false });
    await staged;
    assert.match(run.result.notes.join(), /^Not rehearsed: .*mount namespace/);
  });

  it('refuses where the master could not execute anything, in the words of its error log', async () => {
    const evidenceLog = ['[alert] 7#7: execve() failed while executing new binary process (13: Permission denied)'];
    const { staged } = staging({ exit: null, said: [], poisoned: false, evidenceLog, evidenceProcesses: [] });
    assert.match(await refusal(staged), /^rehearsal-failed: .*could not execute.*execve\(\) failed/);
  });

  it('tells of a master that must not be reloaded', async () => {
    const { staged, run } = staging({ exit: null, said: [], poisoned: true });
    assert.match(await refusal(staged), /its error log says nothing$/);
    assert.match(run.result.notes.join(), /Do not reload nginx now/);
  });

  it('fails with what the target says of it', async () => {
    const { staged, verbs } = staging(['changed-by-others']);
    await assert.rejects(staged, (error) => error instanceof UpgradeError && error.reason === 'changed-by-others');
    assert.equal(verbs().at(-1), 'unstage');
  });
});
