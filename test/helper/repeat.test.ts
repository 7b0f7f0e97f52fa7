import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Instance, NEW, OLD, okay, startInstance } from '../support/helper-instance.ts';
import type { Fields, Helper } from '../support/helper-session.ts';
import { startTime } from '../support/processes.ts';

const STEPS: [verb: string, fields?: Fields][] = [['begin'], ['retire'], ['look'], ['extend'], ['hold']];

describe('a verb asked for twice', { concurrency: 4 }, () => {
  test('prepare: goes on with the same upgrade, its guard and its directory', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    const first = await instance.prepare(helper, { sha256: 'ab' });
    assert.deepEqual(await instance.prepare(helper, { sha256: 'ab' }), first);
    await instance.unstage(helper);
    await instance.assertRest(OLD);
  });

  for (const [index, [verb]] of STEPS.entries()) {
    test(`${verb}: does nothing the second time`, async () => {
      await using instance = await startInstance();
      const helper = await instance.helper();
      await instance.stage(helper);
      for (const [each, fields] of STEPS.slice(0, index + 1)) okay(await helper.ask(each, fields));
      const before = instance.processes();
      okay(await helper.ask(verb));
      assert.deepEqual(instance.processes(), before);
      okay(await helper.ask('commit'));
      await instance.assertRest(NEW);
    });

    test(`${verb}: does nothing the second time when another helper asks for it`, async () => {
      await using instance = await startInstance();
      const helper = await instance.helper();
      await instance.stage(helper);
      for (const [each, fields] of STEPS.slice(0, index + 1)) okay(await helper.ask(each, fields));
      const before = instance.processes();
      const second = await secondHelper(instance);
      okay(await second.ask(verb));
      assert.deepEqual(instance.processes(), before);
      assert.equal(startTime(helper.pid), undefined);
      okay(await second.ask('commit'));
      await instance.assertRest(NEW);
    });
  }

  test('adopt: changes no more than who acts', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    const { nonce } = await instance.stage(helper);
    okay(await helper.ask('begin'));
    const second = await secondHelper(instance);
    okay(await second.ask('adopt', { nonce, run: 'later' }));
    okay(await second.ask('rollback'));
    await instance.assertRest(OLD);
  });
});

async function secondHelper(instance: Instance): Promise<Helper> {
  const helper = await instance.helper();
  okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  okay(await helper.ask('adopt', { run: 'later' }));
  return helper;
}
