import { type ConfigureArgs, nameOf, printArgs } from './configure-args.ts';

/** One argument in two lists; null where a side does not have it. */
export interface ArgsRow {
  name: string;
  running: string | null;
  next: string | null;
}

/** The arguments in which two lists differ, and how many they share. Order does not count, values and repetitions do. */
export function diffArgs(running: ConfigureArgs, next: ConfigureArgs): { rows: ArgsRow[]; same: number } {
  const left = [...next];
  const gone: string[] = [];
  for (const arg of running) {
    const at = left.indexOf(arg);
    if (at < 0) gone.push(arg);
    else left.splice(at, 1);
  }
  const rows = gone.map((arg): ArgsRow => {
    const at = left.findIndex((other) => nameOf(other) === nameOf(arg));
    const [other] = at < 0 ? [null] : left.splice(at, 1);
    return { name: nameOf(arg), running: arg, next: other ?? null };
  });
  const added = left.map((arg): ArgsRow => ({ name: nameOf(arg), running: null, next: arg }));
  return { rows: [...rows, ...added], same: running.length - gone.length };
}

/** The difference as lines for people: what runs, and what comes in its place. */
export function diffLines({ rows, same }: ReturnType<typeof diffArgs>): string[] {
  if (rows.length === 0) return [`configure arguments: all ${same} are the same`];
  const shown = (arg: string | null) => (arg === null ? '–' : printArgs([arg]));
  return [
    `configure arguments: ${same} the same, ${rows.length} different (running → new)`,
    ...rows.map(({ running, next }) => `  ${shown(running)} → ${shown(next)}`),
  ];
}
