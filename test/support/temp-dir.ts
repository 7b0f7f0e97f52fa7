import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { descendants, processesBelow, processesNaming, signal, startTime } from './processes.ts';

const PREFIX = 'nhu-test-';
/** Where the program keeps what it knows of root's instances, a folder each, named by the pid file's path. */
const ROOTS_STATE = '/var/lib/nginx-hot-upgrade';

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

/** Kills whatever still runs from `dir`, names it or belongs to it, and removes it with the state kept about it. */
export function removeWithProcesses(dir: string): void {
  for (const pid of processesNaming(basename(dir))) signal(pid, 'SIGKILL');
  const pid = livingProcess(join(dir, 'process'));
  const owned = pid === undefined ? [] : [pid, ...descendants(pid)];
  for (const each of [...owned, ...processesBelow(dir)]) signal(each, 'SIGKILL');
  rmSync(dir, { recursive: true, force: true });
  const state = readdirOr(ROOTS_STATE).filter((name) => name.includes(basename(dir)));
  for (const name of state) rmSync(join(ROOTS_STATE, name), { recursive: true, force: true });
}

/** Removes what test processes that are gone left behind, as far as it is ours. */
export function sweepTempDirs(): void {
  const dirs = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const dir of dirs.map((name) => join(tmpdir(), name))) {
    if (isOurs(dir) && livingProcess(join(dir, 'owner')) === undefined) removeWithProcesses(dir);
  }
}

/** A folder a few seconds old may not have got its `owner` yet. */
function isOurs(dir: string): boolean {
  const found = statSync(dir, { throwIfNoEntry: false });
  const mine = process.getuid?.() === 0 || found?.uid === process.getuid?.();
  return found !== undefined && mine && Date.now() - found.ctimeMs > 5000;
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

function readdirOr(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
