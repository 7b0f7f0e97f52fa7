import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendants, processesBelow, signal, startTime } from './processes.ts';

const PREFIX = 'nhu-test-';

/** A folder below the system's temporary one that names its owner, so that `sweep` finds it when the owner was killed. */
export function ownTempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(join(dir, 'owner'), `${process.pid} ${startTime(process.pid) ?? ''}`);
  process.once('exit', () => removeWithProcesses(dir));
  return dir;
}

/** Writes down that `pid` and all it starts belong to `dir`, although its executable lies elsewhere. */
export function belongsTo(dir: string, pid: number): void {
  writeFileSync(join(dir, 'process'), `${pid} ${startTime(pid) ?? ''}`);
}

/** Kills whatever still runs from `dir` or belongs to it, and removes it. */
export function removeWithProcesses(dir: string): void {
  const pid = livingProcess(join(dir, 'process'));
  const owned = pid === undefined ? [] : [pid, ...descendants(pid)];
  for (const each of [...owned, ...processesBelow(dir)]) signal(each, 'SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}

/** Removes what test processes that are gone left behind. */
export function sweepTempDirs(): void {
  const dirs = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const dir of dirs.map((name) => join(tmpdir(), name))) {
    if (livingProcess(join(dir, 'owner')) === undefined) removeWithProcesses(dir);
  }
}

/** The pid in a file of `PID START-TIME`, where that very process still lives. */
function livingProcess(file: string): number | undefined {
  const [pid = '', start = ''] = readOr(file).split(' ');
  return start !== '' && startTime(Number(pid)) === start ? Number(pid) : undefined;
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
