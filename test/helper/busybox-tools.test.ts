import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFacts } from '../../src/target/facts.ts';
import { NEW, OLD, okay, startInstance } from '../support/helper-instance.ts';
import { noShell } from '../support/helper-session.ts';

const shell = 'busybox sh';

describe('with busybox for all programs', { skip: noShell(shell), concurrency: 2 }, () => {
  test('the facts are as with any others', async () => {
    await using instance = await startInstance();
    const [plain, small] = [
      await instance.helper({ shell }),
      await instance.helper({ shell, busyboxIn: instance.mark('a') }),
    ];
    const [all, few] = await Promise.all(
      [plain, small].map(async (helper) => {
        const { fields } = okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
        return parseFacts(fields);
      }),
    );
    assert.ok(all?.master && few?.master);
    const { exe, cwd, path, sha256, pidText, listeners, build, conf } = all.master;
    assert.deepEqual(
      Object.fromEntries(
        Object.keys({ exe, cwd, path, sha256, pidText, listeners, build, conf }).map((key) => [
          key,
          Reflect.get(few.master ?? {}, key),
        ]),
      ),
      { exe, cwd, path, sha256, pidText, listeners, build, conf },
    );
    // The one fact that takes a program busybox has not: so none of the others was at hand.
    assert.equal(few.master.libc, '');
    assert.deepEqual(
      few.master.children.map(({ accepting }) => accepting),
      [true, true],
    );
  });

  test('an upgrade is rehearsed and committed', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper({ shell, busyboxIn: instance.mark('b') });
    await instance.stage(helper);
    assert.equal(okay(await helper.ask('rehearse')).fields['exit'], 0);
    for (const verb of ['begin', 'retire', 'look', 'commit']) okay(await helper.ask(verb));
    await instance.assertRest(NEW);
  });

  test('an upgrade is rolled back by its guard', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper({ shell, busyboxIn: instance.mark('c') });
    await instance.stage(helper);
    for (const verb of ['begin', 'retire']) okay(await helper.ask(verb));
    await helper[Symbol.asyncDispose]();
    instance.expire();
    await instance.restWithin(OLD, 20_000);
  });
});
