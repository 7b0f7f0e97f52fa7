import { isIPv4 } from 'node:net';
import type { HealthSettings, Target } from '../config.ts';
import type { ListeningSocket, Network } from '../target/probed-port.ts';
import { endOf } from './connect.ts';
import { probeUrl } from './probes.ts';

/**
 * Who answers at an address of the target: sockets of the master that is upgraded; others, or others as well; nobody; or
 * some other machine, as the address is none of the target's.
 */
export type Owner = 'ours' | 'others' | 'nobody' | 'elsewhere';

export interface Probed extends Network {
  /** Inodes of the sockets on which the old master listens. */
  ours: ReadonlySet<string>;
}

/** What the target's facts have to say of the address that is probed; nothing where nothing is probed. */
export function probeToLookFor(health: HealthSettings | 'none' | undefined, target: Target): string | undefined {
  if (health === undefined || health === 'none') return undefined;
  const { host, port } = endOf(probeUrl(health.url, target));
  return `${port} ${health.from === 'runner' && target.kind === 'ssh' ? '*' : host}`;
}

/**
 * Who answers a probe that tries `addresses` one after another: the first at which somebody does. Without any,
 * `elsewhere`: nobody knows where it ends.
 */
export function ownerOf(addresses: readonly string[], probed: Probed): Owner {
  const owners = addresses.map((address) => ownerAt(address, probed));
  return owners.find((owner) => owner !== 'nobody') ?? (owners.length === 0 ? 'elsewhere' : 'nobody');
}

/** As the kernel looks a listener up: one of that very address, else one of all, and IPv4 first (inet_lookup_listener). */
function ownerAt(address: string, { sockets, local, ours }: Probed): Owner {
  const plain = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  if (!isLocal(plain, local)) return 'elsewhere';
  const candidates = lookups(plain).map(({ kind, words }) =>
    sockets.filter((one) => one.kind === kind && isAt(one, words)),
  );
  const [found = []] = candidates.filter((each) => each.length > 0);
  if (found.length === 0) return 'nobody';
  return found.every(({ inodes }) => inodes.every((inode) => ours.has(inode))) ? 'ours' : 'others';
}

interface Lookup {
  kind: ListeningSocket['kind'];
  words: string[];
}

function lookups(address: string): Lookup[] {
  const any6 = { kind: 'tcp6' as const, words: ['00000000', '00000000', '00000000', '00000000'] };
  if (!isIPv4(address)) return [{ kind: 'tcp6', words: wordsOf(address) }, any6];
  const [word = ''] = wordsOf(address);
  return [
    { kind: 'tcp', words: [word] },
    { kind: 'tcp6', words: ['00000000', '00000000', '0000FFFF', word] },
    { kind: 'tcp', words: ['00000000'] },
    any6,
  ];
}

/** The address in words of 32 bits, hexadecimal, in the order of the network. */
function wordsOf(address: string): string[] {
  if (isIPv4(address)) {
    return [
      address
        .split('.')
        .map((part) => Number(part).toString(16).padStart(2, '0'))
        .join('')
        .toUpperCase(),
    ];
  }
  return expanded(address).match(/.{8}/g) ?? [];
}

/** 32 hexadecimal digits. */
function expanded(address: string): string {
  if (/^[0-9a-f]{32}$/i.test(address)) return address.toUpperCase();
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = (text: string) => (text === '' ? [] : text.split(':').flatMap(groupOf));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0000');
  return [...left, ...(tail === undefined ? [] : zeros), ...right].join('').toUpperCase();
}

function groupOf(group: string): string[] {
  return isIPv4(group) ? (wordsOf(group)[0]?.match(/.{4}/g) ?? []) : [group.padStart(4, '0')];
}

/** The kernel writes each word as its own machine holds it; which machine that is matters little, so both are taken. */
function isAt({ address }: ListeningSocket, words: string[]): boolean {
  return address === words.join('') || address === words.map(swapped).join('');
}

function swapped(word: string): string {
  return (word.match(/../g) ?? []).toReversed().join('');
}

function isLocal(address: string, local: readonly string[]): boolean {
  if (isIPv4(address)) return address.startsWith('127.') || local.includes(address);
  const whole = expanded(address);
  return whole === expanded('::1') || local.some((one) => !isIPv4(one) && expanded(one) === whole);
}
