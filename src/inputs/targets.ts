import { isIPv6 } from 'node:net';
import type { Target } from '../config.ts';
import { all, bad, good, problemsOf, andThen, type Checked } from './checked.ts';
import { parseHostname } from './hostname.ts';
import { splitList } from './list.ts';
import { parsePort } from './number.ts';
import { show } from './show.ts';
import { parseUser } from './user.ts';

const MOST = 10_000;
const FORM = '[user@]host[:port], ssh://…, [v6]:port or local';

export interface TargetDefaults {
  user: string;
  port: number;
}

interface Address {
  user: string | undefined;
  host: string;
  port: string | undefined;
}

/** The hosts in the order given; the word `local` is this machine. The same one twice is a mistake. */
export function parseTargets(text: string, defaults: TargetDefaults): Checked<Target[]> {
  const names = splitList(text);
  if (names.length === 0) return bad(`no targets: expected at least one of ${FORM}`);
  if (names.length > MOST) return bad(`at most ${MOST} targets in one run, found ${names.length}`);
  return andThen(
    all(names, (name) => parseTarget(name, defaults)),
    refuseTwice,
  );
}

/** True where a line of `targets` asks for SSH, be it well written or not. */
export function wantsSsh(text: string): boolean {
  return splitList(text).some((name) => name !== 'local');
}

export function parseTarget(name: string, defaults: TargetDefaults): Checked<Target> {
  if (name === 'local') return good({ kind: 'local', name });
  const split = splitAddress(name);
  if (!split.ok) return split;
  const { user, host, port } = split.value;
  const login = user === undefined ? good(defaults.user) : parseUser(user);
  const address = parseHostname(host);
  const listening = port === undefined ? good(defaults.port) : parsePort(port);
  if (login.ok && address.ok && listening.ok) {
    return good({ kind: 'ssh', name, host: address.value, port: listening.value, user: login.value }, address.notes);
  }
  const problems = problemsOf([login, address, listening]);
  return bad(...problems.map((problem) => (problem.includes(show(name)) ? problem : `${show(name)}: ${problem}`)));
}

function splitAddress(name: string): Checked<Address> {
  if (name.startsWith('-')) return bad(`a target must not start with a dash, found ${show(name)}`);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(name)?.[1];
  if (scheme !== undefined && scheme !== 'ssh') return bad(`only ssh:// can be connected to, found ${show(name)}`);
  const rest = scheme === undefined ? name : name.slice('ssh://'.length).replace(/\/$/, '');
  const at = rest.lastIndexOf('@');
  const user = at < 0 ? undefined : rest.slice(0, at);
  if (user?.includes(':') === true) return bad(`no passwords in targets: use "key", found ${show(name)}`);
  if (user?.includes('@') === true) return bad(`expected ${FORM}, found more than one "@" in ${show(name)}`);
  return andThen(splitPort(rest.slice(at + 1)), (address) => good({ ...address, user }));
}

function splitPort(text: string): Checked<{ host: string; port: string | undefined }> {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) {
    const [, host = '', port] = bracketed;
    return isIPv6(host) ? good({ host, port }) : bad(`expected an IPv6 address in the brackets, found ${show(text)}`);
  }
  const colons = text.split(':').length - 1;
  if (/%[^:]+$/.test(text) && isIPv6(text)) return good({ host: text, port: undefined });
  if (colons > 1) return bad(`an IPv6 address needs brackets, so that a port can be told apart: ${show(`[${text}]`)}`);
  const [host = '', port] = text.split(':');
  if (host === '') return bad(`expected ${FORM}, found no host in ${show(text)}`);
  return good({ host, port });
}

function refuseTwice(targets: Target[]): Checked<Target[]> {
  const seen = new Map<string, Target>();
  const problems: string[] = [];
  for (const target of targets) {
    const identity = target.kind === 'local' ? 'local' : `${target.user}@${target.host}:${target.port}`;
    const first = seen.get(identity);
    if (first === undefined) seen.set(identity, target);
    else problems.push(`${show(target.name)} is the same target as ${show(first.name)}: name it once`);
  }
  return problems.length > 0 ? bad(...problems) : good(targets);
}
