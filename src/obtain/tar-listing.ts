/** One line of `tar -tv`. */
export interface Entry {
  /** `-` file, `d` directory, `l` and `h` links, `c`, `b`, `p` devices. */
  type: string;
  /** `rwxr-xr-x`, with `s` where it changes the user. */
  mode: string;
  /** Bytes. */
  size: number;
  name: string;
  /** Where a link leads. */
  target?: string;
}

/** `-rwxr-xr-x 0/0 1234 2026-01-01 12:00 usr/sbin/nginx`, as GNU tar and busybox write it with numbers for owners. */
const LINE = /^([-dlhcbpsCS])([rwxsStT-]{9})\S* +\S+ +([\d,]+) +(\S+ +\d[\d:.]*) (.*)$/;

/** Reads what `tar -tv` printed; a clause where a line is none of its kind, such as the second half of a name. */
export function readListing(text: string): Entry[] | string {
  const entries: Entry[] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, type = '', mode = '', size = '', , rest = ''] = LINE.exec(line) ?? [];
    if (type === '') return `found an entry that cannot be read: ${JSON.stringify(line.slice(0, 80))}`;
    const [name = '', target, ...more] = /^[lh]$/.test(type) ? rest.split(/ -> | link to /) : [rest];
    // Where a name holds an arrow of its own, nobody can tell where it ends.
    if (more.length > 0) return `found a link that cannot be read: ${JSON.stringify(line.slice(0, 80))}`;
    entries.push({ type, mode, size: Number(size) || 0, name, ...(target === undefined ? {} : { target }) });
  }
  return entries;
}

const MOST_ENTRIES = 100_000;

/** What nobody packs who means well, as a clause; undefined where there is nothing of the kind. */
export function unsafeEntry(entries: readonly Entry[], limit: number): string | undefined {
  if (entries.length === 0) return 'it is empty';
  if (entries.length > MOST_ENTRIES) return `it has more than ${MOST_ENTRIES} entries`;
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > limit) return `it would unpack to ${total} bytes, more than ${limit}`;
  return entries.map(unsafe).find((clause) => clause !== undefined);
}

function unsafe({ type, mode, name, target }: Entry): string | undefined {
  const shown = JSON.stringify(name.slice(0, 200));
  if (leadsOut(name)) return `the entry ${shown} leads out of it`;
  if (/[\\\n]/.test(name)) return `the entry ${shown} has a line break or a backslash in its name`;
  if (/^[cbpsCS]$/.test(type)) return `the entry ${shown} is a device or a pipe`;
  if (name.startsWith('-')) return `the entry ${shown} is called like an option`;
  if (type === '-' && /[sS]/.test(mode)) return `the entry ${shown} changes the user who runs it`;
  if (type === 'h') return `the entry ${shown} is a hard link`;
  // Through other links even a way that seems to stay within may lead out: only links that never go up are followed by none.
  if (type === 'l' && leadsOut(target ?? '')) return `the link ${shown} leads upwards, to ${target}`;
  return undefined;
}

function leadsOut(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..');
}
