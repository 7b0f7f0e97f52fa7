import { hostPatterns } from './host-patterns.ts';
import type { HostPatterns } from './host-patterns.ts';
import { algorithmsFor, keyProblem } from './host-key.ts';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  /** Counted from 1. */
  line: number;
  marker: 'none' | 'revoked' | 'cert-authority';
  hosts: HostPatterns;
  keyType: string;
  /** The public key blob, as the server sends it. */
  key: Buffer;
}

export interface KnownHosts {
  entries: KnownHost[];
  /** Sentences; those about a line name its number. None repeats the line's content. */
  problems: string[];
}

/** Reads known_hosts text: the format of sshd(8), LF or CRLF. Any problem means that the text must not be relied on. */
export function parseKnownHosts(text: string): KnownHosts {
  const entries: KnownHost[] = [];
  const problems: string[] = [];
  for (const [index, raw] of lines(text).entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const entry = parseLine(content, index + 1);
    if (typeof entry === 'string') problems.push(`line ${index + 1}: ${entry}`);
    else entries.push(entry);
  }
  const unusable = problems.length === 0 ? whyUnusable(entries) : undefined;
  return { entries, problems: unusable === undefined ? problems : [unusable] };
}

function lines(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** A sentence where the line is malformed. */
function parseLine(content: string, line: number): KnownHost | string {
  if (content.startsWith('-----')) return 'expected "host type key", found a PEM block: is this another secret?';
  const words = content.split(/[ \t]+/);
  const marker = parseMarker(words);
  if (marker === undefined) return 'expected the marker @revoked or @cert-authority, found another word behind "@"';
  const [hosts, keyType, base64] = marker === 'none' ? words : words.slice(1);
  if (hosts === undefined || keyType === undefined || base64 === undefined) {
    return `expected "host type key", found ${words.length === 1 ? 'one word' : `${words.length} words`}`;
  }
  if (/^\d+$/.test(keyType)) return 'expected "host type key", found a key of SSH protocol 1, which nobody speaks now';
  const patterns = hostPatterns(hosts);
  if (typeof patterns === 'string') return patterns;
  const problem = keyProblem(keyType, base64);
  return problem ?? { line, marker, hosts: patterns, keyType, key: Buffer.from(base64, 'base64') };
}

function parseMarker(words: string[]): KnownHost['marker'] | undefined {
  if (!words[0]?.startsWith('@')) return 'none';
  if (words[0] === '@revoked') return 'revoked';
  return words[0] === '@cert-authority' ? 'cert-authority' : undefined;
}

function whyUnusable(entries: KnownHost[]): string | undefined {
  const plain = entries.filter((entry) => entry.marker === 'none');
  if (plain.some((entry) => algorithmsFor(new Set([entry.keyType])).length > 0)) return undefined;
  const why = 'no usable line: no host could be recognised with it';
  if (entries.length === 0) return `${why} (only comments or nothing at all: was the host down when it was scanned?)`;
  if (plain.length > 0) return `${why} (its keys are of types that are not accepted: ${typesOf(plain)})`;
  if (entries.some((entry) => entry.marker === 'cert-authority')) {
    return `${why} (@cert-authority is unsupported by this transport: list the host's own key, or use transport: openssh)`;
  }
  return `${why} (it only revokes keys)`;
}

function typesOf(entries: KnownHost[]): string {
  return [...new Set(entries.map((entry) => entry.keyType))].join(', ');
}
