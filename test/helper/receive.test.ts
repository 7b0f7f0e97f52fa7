import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digest, type Instance, OLD, okay, refused, startInstance } from '../support/helper-instance.ts';
import { noShell, SHELLS } from '../support/helper-session.ts';
import { mustRun } from '../support/command.ts';
import { waitFor } from '../support/wait.ts';

const BYTES = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 256));

for (const shell of SHELLS) {
  describe(`an upload received under ${shell}`, { skip: noShell(shell), concurrency: 2 }, () => {
    test('arrives byte by byte, plain and compressed, with owner and mode of the present file', async () => {
      await using instance = await startInstance();
      await mustRun(['chmod', '751', instance.nginx.binaryPath]);
      const { fields, staged } = await prepared(instance);
      for (const [encoding, bytes] of Object.entries({ none: BYTES, gzip: gzipSync(BYTES) })) {
        okay(await instance.receive({ ...fields, sha256: digest(BYTES), encoding }, { bytes, shell }));
        assert.equal(digest(readFileSync(staged)), digest(BYTES));
        assert.equal(statSync(staged).mode & 0o7777, 0o751);
      }
      await mustRun(['chmod', '755', instance.nginx.binaryPath]);
      await withdrawn(instance);
    });

    for (const [fault, bytes] of Object.entries({
      'with another digest': Buffer.concat([BYTES, Buffer.of(0)]),
      'cut short': BYTES.subarray(0, 100_000),
      empty: Buffer.alloc(0),
    })) {
      test(`${fault} is refused and leaves nothing`, async () => {
        await using instance = await startInstance();
        const { fields, staged } = await prepared(instance);
        const answer = await instance.receive({ ...fields, sha256: digest(BYTES), encoding: 'none' }, { bytes, shell });
        refused(answer, 'upload-failed');
        assert.match(
          answer.message,
          new RegExp(`of ${BYTES.length} bytes with the digest ${digest(BYTES)}, ${bytes.length} bytes`),
        );
        assert.deepEqual(readdirSync(dirname(staged)), []);
        await withdrawn(instance);
      });
    }

    test('compressed and cut short is refused and leaves nothing', async () => {
      await using instance = await startInstance();
      const { fields, staged } = await prepared(instance);
      const bytes = gzipSync(BYTES).subarray(0, 500);
      refused(
        await instance.receive({ ...fields, sha256: digest(BYTES), encoding: 'gzip' }, { bytes, shell }),
        'upload-failed',
      );
      assert.deepEqual(readdirSync(dirname(staged)), []);
      await withdrawn(instance);
    });

    test('for another upgrade is refused', async () => {
      await using instance = await startInstance();
      const { fields } = await prepared(instance);
      const answer = await instance.receive(
        { ...fields, nonce: 'another', sha256: digest(BYTES), encoding: 'none' },
        { bytes: BYTES, shell },
      );
      refused(answer, 'changed-by-others');
      await withdrawn(instance);
    });
  });
}

test('an upload whose sender was cut off is simply sent again', async () => {
  await using instance = await startInstance();
  const { fields, staged } = await prepared(instance);
  const cut = await instance.helper({ entry: 'receive' });
  const request = { ...fields, sha256: digest(BYTES), encoding: 'none' };
  const answer = assert.rejects(cut.ask('receive', request));
  cut.send(BYTES.subarray(0, 100_000));
  await waitFor('a part of it', () => partsOf(staged).some((part) => statSync(part).size === 100_000));
  await cut[Symbol.asyncDispose]();
  await answer;
  okay(await instance.receive(request, { bytes: BYTES }));
  assert.equal(digest(readFileSync(staged)), digest(BYTES));
  await withdrawn(instance);
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

/** Every attempt writes a file of its own. */
function partsOf(staged: string): string[] {
  const folder = dirname(staged);
  const parts = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('new.part')) : [];
  return parts.map((name) => join(folder, name));
}

/** An upgrade that waits for its bytes. */
async function prepared(instance: Instance) {
  const helper = await instance.helper();
  const { nonce } = await instance.prepare(helper, { sha256: digest(BYTES) });
  const staged = join(instance.nginx.dir, `sbin/.nginx-hot-upgrade-${nonce}/new`);
  return { fields: { dir: instance.directory, nonce, size: BYTES.length }, staged };
}

async function withdrawn(instance: Instance): Promise<void> {
  const helper = await instance.helper();
  okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile }));
  okay(await helper.ask('adopt', { run: 'later' }));
  await instance.unstage(helper);
  await instance.assertRest(OLD);
}
