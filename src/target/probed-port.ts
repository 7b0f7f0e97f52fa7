/** The sockets that listen at one port in the helper's network namespace, and whose addresses those of the host are. */
export interface ProbedPort {
  sockets: ListeningSocket[];
  /** This host's own, as the kernel writes them: dotted, or 32 hexadecimal digits. */
  local: string[];
  /** What the name that is probed means on the host, in the order in which it is tried. */
  resolved: string[];
}

export interface ListeningSocket {
  inode: string;
  kind: 'tcp' | 'tcp6';
  /** As in /proc/net/tcp: hexadecimal words in the order of the machine. */
  address: string;
}

/** Lines of `listen INODE KIND ADDRESS`, `local ADDRESS`, `resolved ADDRESS`. */
export function parseProbed(lines: readonly string[]): ProbedPort {
  const found: ProbedPort = { sockets: [], local: [], resolved: [] };
  for (const line of lines) {
    const [what, first = '', kind, address = ''] = line.split(' ');
    if (what === 'listen' && (kind === 'tcp' || kind === 'tcp6')) found.sockets.push({ inode: first, kind, address });
    else if (what === 'local') found.local.push(first);
    else if (what === 'resolved') found.resolved.push(first);
  }
  return found;
}
