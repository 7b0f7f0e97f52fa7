import { createHmac, timingSafeEqual } from 'node:crypto';

/** The first word of a known_hosts line. */
export type HostPatterns =
  { kind: 'hashed'; salt: Buffer; digest: Buffer } | { kind: 'plain'; allowed: string[]; denied: string[] };

const SHA1_BYTES = 20;

/** A sentence where the word is malformed. */
export function hostPatterns(word: string): HostPatterns | string {
  if (word.startsWith('|')) return hashedPattern(word);
  const parts = word.toLowerCase().split(',');
  const denied = parts.filter((part) => part.startsWith('!')).map((part) => part.slice(1));
  const allowed = parts.filter((part) => !part.startsWith('!'));
  if ([...allowed, ...denied].includes('')) return 'expected host names with a comma between them, found an empty one';
  return { kind: 'plain', allowed, denied };
}

/** Whether a line with these patterns is about a host that is called by any of `names` (lower case). */
export function matchesHost(patterns: HostPatterns, names: string[]): boolean {
  if (patterns.kind === 'hashed') return names.some((name) => hashes(patterns, name));
  const matches = (pattern: string): boolean => names.some((name) => matchesGlob(pattern, name));
  return !patterns.denied.some(matches) && patterns.allowed.some(matches);
}

/**
 * What a host is called in known_hosts: with its port, except that port 22 is usually left out. Unlike ssh(1), an
 * entry without a port does not vouch for another port of the same name.
 */
export function lookupNames(host: { name: string; port: number }): string[] {
  const name = host.name.toLowerCase();
  const withPort = `[${name}]:${host.port}`;
  return host.port === 22 ? [name, withPort] : [withPort];
}

function hashedPattern(word: string): HostPatterns | string {
  const [, version, salt = '', digest = '', ...rest] = word.split('|');
  if (version !== '1' || rest.length > 0) return 'expected a hashed host name of the form |1|salt|digest';
  const bytes = { salt: Buffer.from(salt, 'base64'), digest: Buffer.from(digest, 'base64') };
  const whole = bytes.salt.length === SHA1_BYTES && bytes.digest.length === SHA1_BYTES;
  return whole ? { kind: 'hashed', ...bytes } : 'expected a hashed host name of 20 + 20 bytes: was the line cut?';
}

function hashes(patterns: { salt: Buffer; digest: Buffer }, name: string): boolean {
  return timingSafeEqual(createHmac('sha1', patterns.salt).update(name).digest(), patterns.digest);
}

/** `*` and `?` only. Goes back to the last star at most, so that no pattern takes exponential time. */
function matchesGlob(pattern: string, name: string): boolean {
  let [p, n, star, retry] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      retry = n;
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++retry;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(p));
}
