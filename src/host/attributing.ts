import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Target } from '../config.ts';
import { type Owner, ownerOf } from '../health/attribution.ts';
import { endOf } from '../health/connect.ts';
import { probeUrl, type Source } from '../health/probes.ts';
import type { Finding } from '../report/result.ts';
import type { MasterFacts } from '../target/facts.ts';
import type { HostRun } from './host-run.ts';

/**
 * Whether a good answer is this nginx's word: the listening socket at the probed address, seen from the network in which the
 * probe ends, must be one that the old master holds. (The new workers accept on each of these, or are not ready.)
 */
export async function attribution(run: HostRun, master: MasterFacts): Promise<Finding | undefined> {
  const { health } = run.config;
  if (health === undefined || health === 'none') return undefined;
  const url = probeUrl(health.url, run.target);
  const sources: Source[] = health.from === 'both' ? ['target', 'runner'] : [health.from];
  for (const source of sources) {
    const owner = ownerSeen(await addressesOf(url, { source, target: run.target, master }), { source, master });
    if (owner === 'ours') continue;
    if (owner === 'another network') return otherNetwork(url, master);
    return notAttributed(url, { owner, master });
  }
  return undefined;
}

/** Through the connection a probe ends in the helper's network, unless the address is none of that one's: then it may be the master's. */
function ownerSeen(
  addresses: string[],
  { source, master }: { source: Source; master: MasterFacts },
): Owner | 'another network' {
  const ours = new Set(master.listeners.map((line) => line.split(' ')[0] ?? ''));
  const here = ownerOf(addresses, { ...master.probed.here, ours });
  if (here === 'ours' || master.sameNetwork) return here;
  if (source === 'target' && here !== 'elsewhere') return 'another network';
  // The loopback of one network is no way into another.
  const routed = addresses.filter((address) => !isLoopback(address));
  return ownerOf(routed, { ...master.probed.there, ours });
}

interface Seen {
  source: Source;
  target: Target;
  master: MasterFacts;
}

/** In the order in which they are tried; none where they cannot be told, or are those of the runner itself. */
async function addressesOf(url: URL, { source, target, master }: Seen): Promise<string[]> {
  const { host } = endOf(url);
  const remote = source === 'runner' && target.kind === 'ssh';
  const all = isIP(host) > 0 ? [host] : remote ? await resolved(host) : master.probed.resolved;
  // A base system may have nothing that resolves names.
  const known = all.length === 0 && host === 'localhost' ? ['127.0.0.1', '::1'] : all;
  return remote ? known.filter((address) => !isLoopback(address)) : known;
}

function isLoopback(address: string): boolean {
  return /^(?:127\.|::1$)/.test(address);
}

async function resolved(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true, order: 'verbatim' }).catch(() => []);
  return found.map(({ address }) => address);
}

function otherNetwork(url: URL, { process }: MasterFacts): Finding {
  return {
    code: 'network-namespace',
    message: `the master ${process.pid} serves in a network namespace of its own, and a probe of ${url.href} through the connection ends in another one: whoever answers there, it is not this nginx`,
    fix: 'Set `health-from: runner` with a URL that leads to it, or `health-url: none`.',
  };
}

function notAttributed(url: URL, { owner, master }: { owner: Exclude<Owner, 'ours'>; master: MasterFacts }): Finding {
  return {
    code: 'not-attributed',
    message: `probes of ${url.href} are not attributed to this nginx: ${WHOSE[owner]}, so a good answer proves nothing of master ${master.process.pid}`,
    fix: 'Probe an address and port on which this nginx itself listens.',
  };
}

const WHOSE: Record<Exclude<Owner, 'ours'>, string> = {
  others: 'a socket that its master does not hold listens at that address',
  nobody: 'no socket listens at that address on the target',
  elsewhere: 'that address is not known as one of the target’s own',
};
