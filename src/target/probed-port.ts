/** What stands at the probed port where probes may end. */
export interface ProbedPort {
  /** In the network of the helper, where probes through the connection end. */
  here: Network;
  /** In that of the master, where it has one of its own. */
  there: Network;
  /** What the name that is probed means on the host, in the order in which it is tried. */
  resolved: string[];
}

export interface Network {
  sockets: ListeningSocket[];
  /** Its own addresses, as the kernel writes them: dotted, or 32 hexadecimal digits. */
  local: string[];
}

/** All that listen on one address. */
export interface ListeningSocket {
  kind: 'tcp' | 'tcp6';
  /** As in /proc/net/tcp: hexadecimal words in the order of the machine. */
  address: string;
  inodes: string[];
}

/** Lines of `PLACE listen KIND ADDRESS INODE,INODE`, `PLACE local ADDRESS,ADDRESS`, `here resolved ADDRESS`. */
export function parseProbed(lines: readonly string[]): ProbedPort {
  const found: ProbedPort = { here: { sockets: [], local: [] }, there: { sockets: [], local: [] }, resolved: [] };
  for (const line of lines) {
    const [place, what, first = '', address = '', inodes = ''] = line.split(' ');
    if (place !== 'here' && place !== 'there') continue;
    const network = found[place];
    if (what === 'listen' && (first === 'tcp' || first === 'tcp6'))
      network.sockets.push({ kind: first, address, inodes: inodes.split(',') });
    else if (what === 'local') network.local.push(...first.split(','));
    else if (what === 'resolved') found.resolved.push(first);
  }
  return found;
}
