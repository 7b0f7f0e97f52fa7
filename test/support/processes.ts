import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Pids of the processes whose executable lies below `dir`, also where the file is deleted by now. */
export function processesBelow(dir: string): number[] {
  return allPids().filter((pid) => executable(pid).startsWith(`${dir}/`));
}

/** Pids of the processes other than Node whose command line holds `word`: helpers and guards at work on an instance. */
export function processesNaming(word: string): number[] {
  return allPids().filter((pid) => !executable(pid).endsWith('/node') && commandLine(pid).includes(word));
}

/** Pids of all children of `pid`, their children and so on. */
export function descendants(pid: number): number[] {
  const parents = new Map(allPids().map((each) => [each, parentOf(each)]));
  const found = [pid];
  for (const parent of found) {
    for (const [child, its] of parents) if (its === parent) found.push(child);
  }
  return found.slice(1);
}

/** Path of the running file; empty where the process is gone, a zombie or not ours to look at. */
export function executable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** Clock ticks since boot at which the process started; undefined where it is gone or a zombie. */
export function startTime(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** Signals one process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone is what was wanted.
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  return Number(statFields(pid)[1]);
}

/** The fields of /proc/PID/stat behind the name, which may hold blanks itself: the state comes first. */
function statFields(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}
