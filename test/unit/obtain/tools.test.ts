import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runTool, streamTool } from '../../../src/obtain/tools.ts';
import { folder, plant, restoring } from './support.ts';

const LIMIT = { limit: 1_000_000 };

describe('runTool', () => {
  restoring('PATH', 'GITHUB_TOKEN');

  it('gives what the program printed, and hands over every word as it is', async () => {
    assert.equal(await runTool(['printf', '%s|', 'a b', '', '$HOME', `"it's"`]), `a b||$HOME|"it's"|`);
  });

  it('rejects where the program fails, with what it printed left aside', async () => {
    await assert.rejects(runTool(['sh', '-c', 'echo done; exit 3']), /failed with exit code 3/);
  });

  it('shows the program nothing of the job but where programs are', async () => {
    process.env['GITHUB_TOKEN'] = 'secret';
    const names = (await runTool(['env'])).split('\n').map((line) => line.split('=', 1)[0]);
    assert.deepEqual(new Set(names), new Set(['HOME', 'LC_ALL', 'PATH', '']));
  });

  it('runs a program whose path has blanks and quotes', async () => {
    const path = join(plant(folder(), { [`a "b" it's/tool`]: '#!/bin/sh\necho ran "$1"\n' }), `a "b" it's/tool`);
    chmodSync(path, 0o755);
    assert.equal(await runTool([path, 'x']), 'ran x\n');
  });

  const missing: [program: string, packages: string][] = [
    ['dpkg-deb', 'dpkg'],
    ['gpgv', 'gpgv (Debian, Ubuntu), gnupg2 (RHEL, Fedora), gpg2 (SUSE), gnupg (Alpine)'],
    ['xz', 'xz-utils (Debian, Ubuntu), xz'],
    ['tar', 'tar'],
  ];
  for (const [program, packages] of missing) {
    it(`says what to install where there is no ${program}`, async () => {
      process.env['PATH'] = folder();
      const message = `this machine has no ${program}, which is needed here`;
      const findings = [{ code: 'build-dependency', message, fix: `Install it: ${packages}.` }];
      await assert.rejects(runTool([program]), { name: 'Refused', findings });
      await assert.rejects(streamTool([program], LIMIT), { name: 'Refused', findings });
    });
  }
});

describe('streamTool', () => {
  it('gives the bytes as they are', async () => {
    const bytes = randomBytes(300_000);
    assert.deepEqual(await streamTool(['cat', join(plant(folder(), { bytes }), 'bytes')], LIMIT), bytes);
  });

  it('takes as many bytes as the limit says, and not one more', async () => {
    assert.equal(String(await streamTool(['printf', 'abcd'], { limit: 4 })), 'abcd');
    await assert.rejects(streamTool(['printf', 'abcd'], { limit: 3 }), /printf wrote 4 bytes, expected at most 3/);
  });

  it('rejects where the program fails, whatever it wrote', async () => {
    await assert.rejects(streamTool(['sh', '-c', 'echo half; exit 2'], LIMIT), /failed with exit code 2/);
  });
});
