import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { writeReport } from '../../../src/report/file.ts';
import { host, report } from './typical-reports.ts';

it('writeReport() writes the whole report to a fresh file in RUNNER_TEMP that others cannot read', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'report-test-'));
  t.after(() => rm(directory, { recursive: true }));
  const run = report([host()]);
  const paths = [
    await writeReport(run, { RUNNER_TEMP: directory }),
    await writeReport(run, { RUNNER_TEMP: directory }),
  ];
  assert.notEqual(paths[0], paths[1]);
  for (const path of paths) {
    assert.equal(dirname(dirname(path)), directory);
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), run);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
  }
});

it('writeReport() uses the system temporary directory outside of a runner', async (t) => {
  const path = await writeReport(report([host()]), {});
  t.after(() => rm(dirname(path), { recursive: true }));
  assert.equal(dirname(dirname(path)), tmpdir());
});
