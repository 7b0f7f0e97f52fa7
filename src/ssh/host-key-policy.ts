import { lookupNames, matchesHost } from './host-patterns.ts';
import { algorithmsFor, fingerprintOf, keyTypeOf, MODERN_ALGORITHMS } from './host-key.ts';
import type { HostKeyAlgorithm } from './host-key.ts';
import type { KnownHost } from './known-hosts.ts';

/** What vouches for a host's key. Where both are given, both must agree. */
export interface HostKeyTrust {
  knownHosts?: KnownHost[];
  /** `SHA256:…`, unpadded. */
  pins: string[];
}

export interface HostKeyPolicy {
  /** What to offer the server, in order: only the key types on record, so that it shows a key that can be compared. */
  algorithms: HostKeyAlgorithm[];
  /** Synchronous on purpose: ssh2 takes any promise for a yes. */
  judge(key: Buffer): HostKeyVerdict;
}

export type HostKeyVerdict = { ok: true } | { ok: false; message: string };

interface Lookup {
  /** The host as known_hosts writes it. */
  name: string;
  trusted: KnownHost[];
  revoked: KnownHost[];
  authorities: KnownHost[];
  /** Lines for the same name without the port, or with another one. */
  otherPorts: KnownHost[];
}

/** Who `host` must prove to be. Trusts nobody where `trust` is empty. */
export function hostKeyPolicy(trust: HostKeyTrust, host: { name: string; port: number }): HostKeyPolicy {
  const found = lookUp(trust.knownHosts ?? [], host);
  const onRecord = algorithmsFor(new Set(found.trusted.map((entry) => entry.keyType)));
  return {
    algorithms: onRecord.length > 0 ? onRecord : [...MODERN_ALGORITHMS],
    judge: (key) => {
      const message = objection(trust, found, key);
      return message === undefined ? { ok: true } : { ok: false, message };
    },
  };
}

function lookUp(entries: KnownHost[], host: { name: string; port: number }): Lookup {
  const names = lookupNames(host);
  const about = entries.filter((entry) => matchesHost(entry.hosts, names));
  const bare = host.name.toLowerCase();
  return {
    name: names[0] ?? bare,
    trusted: about.filter((entry) => entry.marker === 'none'),
    revoked: about.filter((entry) => entry.marker === 'revoked'),
    authorities: about.filter((entry) => entry.marker === 'cert-authority'),
    otherPorts: entries.filter((entry) => entry.marker === 'none' && namesAnotherPort(entry, bare)),
  };
}

function namesAnotherPort(entry: KnownHost, bare: string): boolean {
  if (entry.hosts.kind === 'hashed') return matchesHost(entry.hosts, [bare]);
  return entry.hosts.allowed.some((pattern) => pattern === bare || pattern.startsWith(`[${bare}]:`));
}

/** Undefined: the key is to be trusted. */
function objection(trust: HostKeyTrust, found: Lookup, key: Buffer): string | undefined {
  const revoked = found.revoked.find((entry) => entry.key.equals(key));
  if (revoked !== undefined) return revokedMessage(found, revoked);
  if (trust.knownHosts === undefined && trust.pins.length === 0) return unknownMessage(found, key);
  const byRecord = trust.knownHosts === undefined ? undefined : recordObjection(found, key);
  if (trust.pins.length === 0 || trust.pins.includes(fingerprintOf(key))) {
    const butPinned = byRecord !== undefined && trust.pins.length > 0;
    return butPinned
      ? `${byRecord} The input fingerprint names this key, but where both are given both must agree.`
      : byRecord;
  }
  return byRecord ?? pinMessage(trust, found, key);
}

function recordObjection(found: Lookup, key: Buffer): string | undefined {
  if (found.trusted.length === 0) return unknownMessage(found, key);
  return found.trusted.some((entry) => entry.key.equals(key)) ? undefined : mismatchMessage(found, key);
}

function mismatchMessage(found: Lookup, key: Buffer): string {
  const expected = found.trusted.map((entry) => `${described(entry.key)}, known-hosts line ${entry.line}`);
  return (
    `the host key of ${found.name} is not the one on record: expected ${expected.join(' or ')}; found ${described(key)}. ` +
    'Either the host got a new key, or the name now leads to another machine, or somebody stands in between. ' +
    `Before the record is changed, ${howToCompare(key)}.`
  );
}

function unknownMessage(found: Lookup, key: Buffer): string {
  return (
    `no known-hosts line and no fingerprint vouches for this host (looked up: ${found.name}).${hints(found)} ` +
    `The server shows ${described(key)}; before it is put on record, ${howToCompare(key)}.`
  );
}

function hints(found: Lookup): string {
  const authority = found.authorities[0];
  if (authority !== undefined) {
    return ` Line ${authority.line} names a @cert-authority for it, which is unsupported by this transport: list the host's own key, or use transport: openssh.`;
  }
  const other = found.otherPorts[0];
  if (other === undefined) return '';
  return ` Line ${other.line} is about the same name at another port, which says nothing about this one.`;
}

function revokedMessage(found: Lookup, entry: KnownHost): string {
  return (
    `the host key of ${found.name} is revoked: known-hosts line ${entry.line} (@revoked) names ` +
    `${described(entry.key)}, and that is the key found. Expected any other: give the host a new key.`
  );
}

function pinMessage(trust: HostKeyTrust, found: Lookup, key: Buffer): string {
  const both =
    trust.knownHosts === undefined ? '' : ' known-hosts has this key, but where both are given both must agree.';
  return (
    `the host key of ${found.name} is not a pinned one: expected ${trust.pins.join(' or ')} (input fingerprint); ` +
    `found ${described(key)}.${both} Before the pin is changed, ${howToCompare(key)}.`
  );
}

function described(key: Buffer): string {
  return `${fingerprintOf(key)} (${keyTypeOf(key)})`;
}

function howToCompare(key: Buffer): string {
  const type = keyTypeOf(key);
  const name = type.includes(' ') ? '*' : type.replace(/^ssh-|-sha2-.*$/g, '');
  return (
    `compare with what \`ssh-keygen -lf /etc/ssh/ssh_host_${name}_key.pub\` prints on the host itself, ` +
    "reached another way (its console, the provider's panel)"
  );
}
