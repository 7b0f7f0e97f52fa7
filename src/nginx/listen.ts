import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Directive } from './server.ts';

/** One `listen`: where, and with what that matters to a hand-over. */
export interface Listen {
  /** `0.0.0.0:80`, `[::]:80`, `unix:/run/nginx.sock`. */
  address: string;
  /** It has a socket of its own even beside a wildcard on the same port (`bind` and what implies it). */
  own: boolean;
  reuseport: boolean;
}

export interface Listens {
  tcp: Listen[];
  quic: boolean;
  /** Something could not be read without nginx itself: a name, a variable, an include in a server. */
  unsure: boolean;
}

/** Options after which nginx binds a socket of its own (ngx_http_core_listen: `lsopt.bind = 1`). */
const OWN =
  /^(?:bind|setfib|fastopen|backlog|rcvbuf|sndbuf|accept_filter|deferred|ipv6only|reuseport|so_keepalive)(?:=|$)/;

/** Every `listen` of the servers for HTTP, streams and mail. `root`: the master's user, on whom the default port depends. */
export function listensIn(directives: readonly Directive[], { root }: { root: boolean }): Listens {
  const found: Listens = { tcp: [], quic: false, unsure: false };
  for (const { context, name, args } of directives) {
    if (name !== 'listen' || !/^(?:http|stream|mail)\.server$/.test(context)) continue;
    const [where = '', ...options] = args.split(' ');
    if (options.includes('quic')) found.quic = true;
    if (options.includes('quic') || options.includes('udp')) continue;
    const addresses = addressesOf(where, { port: context === 'http.server' ? (root ? 80 : 8000) : undefined });
    if (addresses === undefined) found.unsure = true;
    const own = options.some((option) => OWN.test(option));
    const reuseport = options.includes('reuseport');
    found.tcp.push(...(addresses ?? []).map((address) => ({ address, own, reuseport })));
  }
  return found;
}

/** ngx_parse_url and ngx_parse_addr_port; undefined where only nginx could tell. */
function addressesOf(where: string, { port }: { port: number | undefined }): string[] | undefined {
  if (where === '(default)') return [`0.0.0.0:${port}`];
  if (where.includes('$') || where === '(unknown)') return undefined;
  if (where.startsWith('unix:')) return [where];
  if (/^\d+(?:-\d+)?$/.test(where)) return portsIn(where).map((each) => `0.0.0.0:${each}`);
  const [, host = '', ports = String(port ?? '')] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d+(?:-\d+)?))?$/.exec(where) ?? [];
  const name = canonical(host);
  return name === undefined || ports === '' ? undefined : portsIn(ports).map((each) => `${name}:${each}`);
}

function portsIn(text: string): number[] {
  const [from = 0, to = from] = text.split('-').map(Number);
  return to - from > 65_535 ? [] : Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function canonical(host: string): string | undefined {
  if (host === '*') return '0.0.0.0';
  if (isIPv4(host)) return host;
  return isIPv6(host.slice(1, -1)) && host.startsWith('[') ? new URL(`http://${host}/`).hostname : undefined;
}

/**
 * The sockets that a configuration needs, and those that it may have: behind a wildcard nginx binds no further address of
 * the same port, unless that asks for a socket of its own (ngx_http_init_listening).
 */
export function socketsFor(listens: readonly Listen[]): { needed: Set<string>; possible: Set<string> } {
  const wildcards = new Set(listens.map(({ address }) => address).filter((address) => isWildcard(address)));
  const needed = listens.filter(
    ({ address, own }) => own || !wildcards.has(wildcardOf(address)) || isWildcard(address),
  );
  return {
    needed: new Set(needed.map(({ address }) => address)),
    possible: new Set(listens.map(({ address }) => address)),
  };
}

function isWildcard(address: string): boolean {
  return /^(?:0\.0\.0\.0|\[::\]):/.test(address);
}

/** Where `127.0.0.1:80` would be accepted, too. */
function wildcardOf(address: string): string {
  const port = address.slice(address.lastIndexOf(':') + 1);
  return address.startsWith('[') ? `[::]:${port}` : isIP(address.split(':')[0] ?? '') === 4 ? `0.0.0.0:${port}` : '';
}

/** A line of what the kernel says of a listening socket, `INODE tcp 0100007F:0050`, in the words of `listen`. */
export function listenerAddress(line: string, { littleEndian }: { littleEndian: boolean }): string {
  const [, kind = '', address = ''] = /^\S+ (\S+) (.*)$/.exec(line) ?? [];
  if (kind === 'unix') return `unix:${address}`;
  const [hex = '', port = ''] = address.split(':');
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const pairs = word.match(/../g) ?? [];
    return (littleEndian ? pairs.toReversed() : pairs).map((pair) => Number.parseInt(pair, 16));
  });
  const number = Number.parseInt(port, 16);
  return bytes.length === 4 ? `${bytes.join('.')}:${number}` : `${ipv6(bytes)}:${number}`;
}

function ipv6(bytes: number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]/`).hostname;
}
