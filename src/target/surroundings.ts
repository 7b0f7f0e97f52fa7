/** What the kernel of a target says of a master, of its children together, and of the room that is left. */
export interface Surroundings {
  threads: number;
  noNewPrivileges: boolean;
  /** A system call filter is active. */
  seccomp: boolean;
  /** Limit of open files, as the kernel writes it; null where unknown. */
  openFiles: { soft: string; hard: string } | null;
  /** What the init of that machine, or container, may have at most itself: no unit gets more. */
  mostFiles: string;
  /** Of the file system that holds the running file, as the master sees it. */
  mount: { options: string[]; point: string } | null;
  /** Of AppArmor or SELinux; empty where neither is there. */
  label: string;
  selinuxEnforces: boolean;
  /** Allocators and the like that were loaded into the master by its environment. */
  preloads: string[];
  /** KiB of memory that the old generation does not share with files. */
  heldKb: number;
  /** KiB that are left, to the machine and within all limits of its cgroups; null where unknown. */
  freeKb: number | null;
  /** Processes that may still be started within the limits of its cgroups and of its user; null: no limit. */
  processesLeft: number | null;
}

/** From lines of `KEY=VALUE`; a key may come several times. */
export function parseSurroundings(lines: readonly string[]): Surroundings {
  const all = (key: string) =>
    lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const first = (key: string) => all(key)[0];
  const number = (key: string) => (first(key) === undefined ? null : Number(first(key)));
  const [options, point] = splitOnce(first('mount') ?? '');
  const [soft, hard] = splitOnce(first('nofile') ?? '');
  return {
    threads: number('Threads') ?? 1,
    noNewPrivileges: first('NoNewPrivs') === '1',
    seccomp: first('Seccomp') === '2',
    openFiles: soft === '' ? null : { soft, hard },
    mostFiles: splitOnce(first('mostFiles') ?? '')[1],
    mount: point === '' ? null : { options: options.split(','), point },
    label: first('label') ?? '',
    selinuxEnforces: first('selinux') === '1',
    preloads: all('preload'),
    heldKb: number('held') ?? 0,
    freeKb: least([number('available'), inKb(number('cgroupMemory'))]),
    processesLeft: least([number('cgroupPids'), number('userPids')]),
  };
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function inKb(bytes: number | null): number | null {
  return bytes === null ? null : Math.floor(bytes / 1024);
}

function least(numbers: (number | null)[]): number | null {
  const known = numbers.filter((each) => each !== null);
  return known.length === 0 ? null : Math.min(...known);
}
