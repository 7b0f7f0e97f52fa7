import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFacts } from '../../src/target/facts.ts';
import { NEW, OLD, okay, startInstance } from '../support/helper-instance.ts';
import { guardUnder } from '../support/helper-program.ts';
import { noShell, SHELLS } from '../support/helper-session.ts';

for (const shell of SHELLS) {
  describe(`under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('the facts of a running nginx are whole and typed', async () => {
      await using instance = await startInstance();
      const { nginx, directory } = instance;
      const helper = await instance.helper({ shell });
      const facts = parseFacts(okay(await helper.ask('facts', { pid_file: nginx.pidFile })).fields);
      assert.ok(facts.master);
      const { process, path, exe, pidFile, conf, pidText, children } = facts.master;
      assert.deepEqual(
        { pid: process.pid, path, exe, pidFile, conf, pidText },
        {
          pid: await nginx.masterPid(),
          path: nginx.binaryPath,
          exe: nginx.binaryPath,
          pidFile: nginx.pidFile,
          conf: nginx.configFile,
          pidText: String(process.pid),
        },
      );
      assert.deepEqual(
        children.map(({ role, accepting, sameFile }) => ({ role, accepting, sameFile })),
        Array.from({ length: 2 }, () => ({ role: 'worker', accepting: true, sameFile: true })),
      );
      assert.equal(facts.ours.directory, directory);
      await instance.assertRest(OLD);
    });

    test('an upgrade is prepared, received, checked, begun, retired and committed', async () => {
      await using instance = await startInstance();
      const helper = await instance.helper({ shell });
      const { sha256, checked } = await instance.stage(helper);
      assert.deepEqual([checked.fields['versionExit'], checked.fields['testExit']], [0, 0]);
      const begun = okay(await helper.ask('begin'));
      assert.deepEqual(helper.events, ['swap', 'exec', 'ready']);
      okay(await helper.ask('retire'));
      assert.equal(okay(await helper.ask('look')).fields['accepting'], 2);
      assert.equal(await instance.answers(), NEW);
      const { fields } = okay(await helper.ask('commit'));
      assert.deepEqual(
        [fields['master'], fields['oldGone'], fields['runningSha256'], fields['diskRuns'], fields['oldbin']],
        [begun.fields['newMaster'], true, sha256, true, false],
      );
      await instance.assertRest(NEW);
    });

    test('a rollback after the old workers were retired brings the old version back', async () => {
      await using instance = await startInstance();
      const helper = await instance.helper({ shell });
      await instance.stage(helper);
      okay(await helper.ask('begin'));
      okay(await helper.ask('retire'));
      assert.equal(await instance.answers(), NEW);
      assert.equal(okay(await helper.ask('rollback')).fields['outcome'], 'rolled-back');
      assert.ok(instance.journal().includes('session hup-old'));
      await instance.assertRest(OLD);
    });

    test('a rollback before that sends no HUP, so that no worker is started twice', async () => {
      await using instance = await startInstance();
      const helper = await instance.helper({ shell });
      await instance.stage(helper);
      okay(await helper.ask('begin'));
      assert.equal(okay(await helper.ask('rollback')).fields['outcome'], 'rolled-back');
      assert.ok(!instance.journal().includes('session hup-old'), instance.journal().join());
      await instance.assertRest(OLD);
    });

    test('a held upgrade is adopted by another helper and committed', async () => {
      await using instance = await startInstance();
      const first = await instance.helper({ shell });
      const { nonce } = await instance.stage(first);
      okay(await first.ask('begin'));
      okay(await first.ask('retire'));
      okay(await first.ask('hold'));
      first.endInput();
      assert.equal(await first.ended, 0);
      const second = await instance.helper({ shell });
      okay(await second.ask('facts', { pid_file: instance.nginx.pidFile }));
      okay(await second.ask('adopt', { nonce, run: 'https://example.org/run/2' }));
      okay(await second.ask('commit'));
      await instance.assertRest(NEW);
    });

    test('a guard rolls back when its run is killed', async () => {
      await using instance = await startInstance();
      const helper = await instance.helper({ shell, program: guardUnder(shell) });
      await instance.stage(helper);
      okay(await helper.ask('begin'));
      okay(await helper.ask('retire'));
      okay(await helper.ask('extend', { confirm: 10 }));
      await helper[Symbol.asyncDispose]();
      await instance.restWithin(OLD, 10_000);
    });
  });
}
