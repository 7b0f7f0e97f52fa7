import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from './result.ts';

/**
 * Writes the whole report as JSON to a fresh file that only this user can read, and returns its path. On a CI runner
 * it lies in the job's own temporary directory. Rejects with the file system's error.
 */
export async function writeReport(report: RunReport, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const directory = await mkdtemp(join(env['RUNNER_TEMP'] || tmpdir(), 'nginx-hot-upgrade-'));
  const path = join(directory, 'report.json');
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return path;
}
