import { cp, copyFile, mkdtemp, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Site } from './site.ts';
import { say, step } from './text.ts';

/** Copies what is worth reading out of the folder that goes, and says where it lies. */
export async function keepFiles({ nginx, program }: Site): Promise<void> {
  step('6. The files of these runs');
  const dir = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-demo-'));
  const reports = (await readdir(program.reports, { recursive: true })).filter((name) => name.endsWith('.json')).sort();
  for (const [at, name] of reports.entries())
    await copyFile(join(program.reports, name), join(dir, `report-${at + 1}.json`));
  await copyFile(nginx.errorLog, join(dir, 'error.log'));
  const state = join(nginx.home, '.local/state/nginx-hot-upgrade');
  if (existsSync(state)) await cp(state, join(dir, 'state'), { recursive: true });
  say(`${dir}:`);
  for (const name of (await readdir(dir, { recursive: true })).sort()) say(`  ${name}`);
}
