import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseFacts } from '../../src/target/facts.ts';
import { okay, startInstance } from '../support/helper-instance.ts';
import { noShell, SHELLS } from '../support/helper-session.ts';

const notRoot = process.getuid?.() !== 0 && 'needs root, to be somebody else';

/** Says that it was asked and changes nothing else: what it starts runs as the login still. */
const SUDO = ['env', 'ASKED=1'];

for (const shell of SHELLS) {
  describe(`the gate under ${shell}`, { skip: notRoot || noShell(shell), concurrency: 2 }, () => {
    test("asks for root where the master is not the login's own", async () => {
      await using instance = await startInstance();
      const { pidFile } = instance.nginx;
      const helper = await instance.helper({ shell, user: 'nobody', gate: { sudo: SUDO, pidFile } });
      assert.deepEqual([helper.events, helper.hello.fields['elevated']], [['elevating'], true]);
      assert.equal((await helper.ask('nonsense')).message, 'unknown verb');
    });

    test("does not ask where it is the login's own", async () => {
      await using instance = await startInstance({ user: 'nobody' });
      const { pidFile } = instance.nginx;
      const helper = await instance.helper({ shell, user: 'nobody', gate: { sudo: ['false'], pidFile } });
      assert.deepEqual([helper.events, helper.hello.fields['elevated']], [[], false]);
      const facts = parseFacts(okay(await helper.ask('facts', { pid_file: pidFile })).fields);
      assert.equal(facts.master?.process.pid, await instance.nginx.masterPid());
    });

    test('does not ask where the login is root already', async () => {
      await using instance = await startInstance();
      const { pidFile } = instance.nginx;
      const helper = await instance.helper({ shell, gate: { sudo: ['false'], pidFile } });
      assert.deepEqual([helper.events, helper.hello.fields['elevated']], [[], false]);
    });

    for (const [what, text] of Object.entries({ gone: undefined, strange: '* $(id) "\n', empty: '' })) {
      test(`asks where the pid file is ${what} and a master of somebody else runs`, async () => {
        await using instance = await startInstance();
        const { pidFile } = instance.nginx;
        if (text === undefined) rmSync(pidFile);
        else writeFileSync(pidFile, text);
        const helper = await instance.helper({ shell, user: 'nobody', gate: { sudo: SUDO, pidFile } });
        assert.deepEqual(helper.events, ['elevating']);
      });
    }

    test('tells what sudo says where that is a refusal', async () => {
      await using instance = await startInstance();
      const refusing = join(instance.nginx.dir, 'refuse');
      writeFileSync(refusing, '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n', { mode: 0o755 });
      const gate = { sudo: [refusing], pidFile: instance.nginx.pidFile };
      await assert.rejects(
        instance.helper({ shell, user: 'nobody', gate }),
        /the helper ended: 1; noise: sudo: a password is required/,
      );
    });

    test('loses no byte where dd knows no flags', async () => {
      await using instance = await startInstance();
      const dir = join(instance.nginx.dir, 'home');
      const script = '#!/bin/sh\ncase "$*" in *iflag*) exit 1 ;; esac\nexec /bin/dd "$@"\n';
      writeFileSync(join(dir, 'dd'), script, { mode: 0o755 });
      const gate = { sudo: SUDO, pidFile: instance.nginx.pidFile };
      const helper = await instance.helper({ shell, user: 'nobody', gate, env: { PATH: `${dir}:/usr/bin:/bin` } });
      assert.equal((await helper.ask('nonsense')).message, 'unknown verb');
      assert.equal(helper.noise(), '');
    });
  });
}
