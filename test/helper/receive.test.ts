import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digest, type Instance, OLD, okay, refused, startInstance } from '../support/helper-instance.ts';
import { noShell, type Shell, SHELLS } from '../support/helper-session.ts';
import { mustRun } from '../support/command.ts';
import { waitFor } from '../support/wait.ts';

const BYTES = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 256));

for (const shell of SHELLS) {
  describe(`an upload received under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('arrives byte by byte, plain and compressed, with owner and mode of the present file', async () => {
      await using instance = await startInstance();
      await mustRun(['chmod', '751', instance.nginx.binaryPath]);
      const { helper, staged } = await prepared(instance, shell);
      for (const [encoding, bytes] of Object.entries({ none: BYTES, gzip: gzipSync(BYTES) })) {
        okay(await instance.receive(helper, { bytes, encoding, whole: BYTES.length }));
        assert.equal(digest(readFileSync(staged)), digest(BYTES));
        assert.equal(statSync(staged).mode & 0o7777, 0o751);
      }
      await mustRun(['chmod', '755', instance.nginx.binaryPath]);
      await instance.unstage(helper);
      await instance.assertRest(OLD);
    });

    for (const [fault, bytes] of Object.entries({
      'with another digest': Buffer.concat([BYTES.subarray(1), Buffer.of(0)]),
      'of fewer bytes': BYTES.subarray(0, 100_000),
      'of no bytes': Buffer.alloc(0),
    })) {
      test(`${fault} is refused and leaves nothing`, async () => {
        await using instance = await startInstance();
        const { helper, staged } = await prepared(instance, shell);
        const answer = await instance.receive(helper, { bytes, whole: BYTES.length });
        refused(answer, 'upload-failed');
        const [wanted, found] = [digest(BYTES), digest(bytes)];
        assert.match(
          answer.message,
          new RegExp(`^of ${BYTES.length} bytes .* ${wanted}, ${bytes.length} .* ${found};`),
        );
        assert.deepEqual(readdirSync(dirname(staged)), []);
        await instance.unstage(helper);
        await instance.assertRest(OLD);
      });
    }

    test('that cannot be unpacked is refused and leaves nothing, and the talk goes on behind it', async () => {
      await using instance = await startInstance();
      const { helper, staged } = await prepared(instance, shell);
      const bytes = Buffer.concat([gzipSync(BYTES).subarray(0, 500), Buffer.alloc(100_000, 'facts\n')]);
      refused(await instance.receive(helper, { bytes, encoding: 'gzip' }), 'upload-failed');
      assert.deepEqual(readdirSync(dirname(staged)), []);
      await instance.unstage(helper);
      await instance.assertRest(OLD);
    });

    test('for another upgrade is refused, and the talk goes on behind it', async () => {
      await using instance = await startInstance();
      const { helper } = await prepared(instance, shell);
      refused(await instance.receive(helper, { bytes: BYTES, nonce: 'another' }), 'changed-by-others');
      await instance.unstage(helper);
      await instance.assertRest(OLD);
    });
  });
}

test('a binary that was never sent is refused', async () => {
  await using instance = await startInstance();
  const { helper } = await prepared(instance);
  const answer = await helper.ask('check');
  refused(answer, 'upload-failed');
  assert.match(answer.message, /no file has arrived/);
  await instance.unstage(helper);
  await instance.assertRest(OLD);
});

test('an upload whose sender was cut off is simply sent again', async () => {
  await using instance = await startInstance();
  const { helper, staged } = await prepared(instance);
  const answer = assert.rejects(instance.receive(helper, { bytes: BYTES.subarray(0, 100_000), size: BYTES.length }));
  await waitFor('a part of it', () => (sizeOf(`${staged}.part`) ?? 0) > 0);
  await helper[Symbol.asyncDispose]();
  await answer;
  const later = await instance.helper();
  okay(await later.ask('facts', { pid_file: instance.nginx.pidFile }));
  okay(await later.ask('adopt', { run: 'later' }));
  okay(await instance.receive(later, { bytes: BYTES }));
  assert.equal(digest(readFileSync(staged)), digest(BYTES));
  await instance.unstage(later);
  await instance.assertRest(OLD);
});

test('a file of another machine is never run, not even as the script that a shell takes it for', async () => {
  await using instance = await startInstance();
  const mark = instance.mark('ran');
  const header = Buffer.from(readFileSync(instance.nginx.binaryPath).subarray(0, 64));
  header.writeUInt16LE(243, 18);
  const bait = Buffer.concat([header, Buffer.from(`\n>${mark}\n`)]);
  const binary = `${mark}-bait`;
  writeFileSync(binary, bait);
  const helper = await instance.helper();
  const { checked } = await instance.stage(helper, { binary });
  assert.deepEqual([checked.fields['versionExit'], checked.fields['testExit']], [126, null]);
  assert.equal(existsSync(mark), false);
  await instance.unstage(helper);
  await instance.assertRest(OLD);
});

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** An upgrade that waits for its bytes. */
async function prepared(instance: Instance, shell: Shell = 'dash') {
  const helper = await instance.helper({ shell });
  await instance.prepare(helper, { sha256: digest(BYTES) });
  return { helper, staged: join(instance.nginx.dir, `sbin/.nginx-hot-upgrade-${instance.nonce}/new`) };
}
