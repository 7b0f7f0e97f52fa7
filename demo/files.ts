import { existsSync } from 'node:fs';
import { copyFile, cp, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '../src/report/result.ts';
import type { Site } from './site.ts';
import { say, step } from './text.ts';

/** Copies what is worth reading out of the folder that goes, and says what it is and where it lies. */
export async function keepFiles({ nginx, program }: Site): Promise<void> {
  step('6. The reports and the other files of these runs');
  const dir = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-demo-'));
  for (const [at, path] of program.reports().entries()) {
    const copy = join(dir, `report-${at + 1}.json`);
    await copyFile(path, copy);
    say(`${copy}: ${inShort(JSON.parse(await readFile(copy, 'utf8')))}`);
  }
  const errorLog = join(dir, 'error.log');
  await copyFile(nginx.errorLog, errorLog);
  say(`${errorLog}: what nginx wrote`);
  const state = join(nginx.home, '.local/state/nginx-hot-upgrade');
  if (!existsSync(state)) return;
  await cp(state, join(dir, 'state'), { recursive: true });
  const [journal = ''] = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('journal.jsonl'));
  say(`${join(dir, journal)}: every step as the target noted it down, before it was done`);
}

function inShort({ command, outcome, durationMs, hosts }: RunReport): string {
  const probes = hosts.map(({ probe }) => (probe === null ? '' : `, ${probe.failed} of ${probe.sent} probes failed`));
  return `${command}, ${outcome}${probes.join('')}, ${(durationMs / 1000).toFixed(1)} s`;
}
