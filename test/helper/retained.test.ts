import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseFacts } from '../../src/target/facts.ts';
import { digest, type Instance, NEW, OLD, okay, refused, startInstance } from '../support/helper-instance.ts';
import { nginxBuild } from '../support/nginx-builds.ts';

describe('the binaries kept for a rollback', { concurrency: 4 }, () => {
  test('hold the previous one under its digest, with the words of the upgrade', async () => {
    await using instance = await startInstance();
    await upgrade(instance, { keep: 2 });
    const old = await digestOf(OLD);
    assert.deepEqual(retained(instance), [old]);
    const { ours } = parseFacts(await facts(instance));
    assert.deepEqual(ours.retained, [old]);
    assert.deepEqual(
      ['sha', 'version', 'replaced_by'].map((key) => ours.previous?.get(key)),
      [old, OLD, await digestOf(NEW)],
    );
  });

  for (const keep of [1, 2]) {
    test(`are no more than ${keep} where so many are asked for, the newest of them`, async () => {
      await using instance = await startInstance();
      const helper = await instance.helper();
      await instance.stage(helper, { fields: { keep } });
      const [older = '', newer = ''] = oldFiles(instance);
      okay(await helper.ask('begin'));
      okay(await helper.ask('retire'));
      okay(await helper.ask('commit'));
      const expected = keep === 1 ? [await digestOf(OLD)] : [await digestOf(OLD), newer];
      assert.deepEqual(retained(instance).sort(), expected.sort());
      assert.ok(!retained(instance).includes(older));
    });
  }

  test('come back by a reverse upgrade, which leaves nothing to roll back to', async () => {
    await using instance = await startInstance();
    await upgrade(instance, { keep: 2 });
    await reverse(instance);
    assert.equal(await instance.answers(), OLD);
    const { ours } = parseFacts(await facts(instance));
    assert.equal(ours.previous, null);
    await instance.assertRest(OLD);
  });

  test('never lose the one that runs', async () => {
    await using instance = await startInstance();
    await upgrade(instance, { keep: 1 });
    await reverse(instance, { keep: 1 });
    await upgrade(instance, { keep: 1 });
    assert.equal(digest(readFileSync(instance.nginx.binaryPath)), await digestOf(NEW));
    assert.deepEqual(retained(instance), [await digestOf(OLD)]);
    await instance.assertRest(NEW);
  });

  test('are checked again before they are used', async () => {
    await using instance = await startInstance();
    await upgrade(instance, { keep: 2 });
    const old = await digestOf(OLD);
    const helper = await instance.helper();
    await instance.prepare(helper, { kind: 'reverse', sha256: old });
    writeFileSync(join(instance.directory, 'retained', old), 'spoilt');
    refused(await helper.ask('check'), 'upload-failed');
    await instance.unstage(helper);
    await instance.assertRest(NEW);
  });
});

async function upgrade(instance: Instance, fields: Record<string, number>): Promise<void> {
  const helper = await instance.helper();
  await instance.stage(helper, { fields });
  for (const verb of ['begin', 'retire', 'commit']) okay(await helper.ask(verb));
}

async function reverse(instance: Instance, more: Record<string, number> = {}): Promise<void> {
  const sha256 = await digestOf(OLD);
  const helper = await instance.helper();
  await instance.prepare(helper, { kind: 'reverse', sha256, ...more });
  for (const verb of ['check', 'begin', 'retire', 'commit']) okay(await helper.ask(verb));
}

async function facts(instance: Instance): Promise<Record<string, unknown>> {
  const helper = await instance.helper();
  return okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile })).fields;
}

/** Two files as two earlier upgrades would have left them; the older one first. */
function oldFiles(instance: Instance): string[] {
  return ['a', 'b'].map((letter, index) => {
    const name = letter.repeat(64);
    const file = join(instance.directory, 'retained', name);
    copyFileSync(instance.nginx.binaryPath, file);
    utimesSync(file, 1e9 + index, 1e9 + index);
    return name;
  });
}

function retained(instance: Instance): string[] {
  return readdirSync(join(instance.directory, 'retained'));
}

async function digestOf(version: typeof OLD | typeof NEW): Promise<string> {
  return digest(readFileSync(await nginxBuild(version)));
}
