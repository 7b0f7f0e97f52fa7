import type { Place } from '../test/support/invariants.ts';

const COUNTERS = ['ListenOverflows', 'ListenDrops', 'OutRsts'];

/** What a client on loopback cannot see: connections that the kernel of the target threw away, resets that it sent. */
export async function kernelCounters(place: Pick<Place, 'run'>): Promise<Record<string, number>> {
  const { stdout } = await place.run('cat /proc/net/netstat /proc/net/snmp');
  const lines = stdout.trim().split('\n');
  const all = new Map<string, number>();
  // Names and values stand on two lines, one above the other.
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [names = [], values = []] = [lines[i]?.split(' '), lines[i + 1]?.split(' ')];
    names.forEach((name, at) => all.set(name, Number(values[at])));
  }
  return Object.fromEntries(COUNTERS.map((name) => [name, all.get(name) ?? Number.NaN]));
}
