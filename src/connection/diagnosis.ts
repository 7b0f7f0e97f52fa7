import { messageOf } from '../errors.ts';
import type { Reason } from '../errors.ts';
import { errorCode, networkFault } from './socket.ts';

/** Why one try to connect ended, in the words of an UpgradeError. */
export interface Failure {
  reason: Reason & ('unreachable' | 'host-key' | 'auth');
  /** What was expected and what was found; the host is put in front of it. */
  sentence: string;
  transient: boolean;
  cause: unknown;
}

/** What was seen of a try that failed after TCP was connected. */
export interface Observed {
  error: unknown;
  /** The verdict against the host's key, where it came to one. */
  objection: string | undefined;
  /** Keys were exchanged and the host proved who it is. */
  handshakeDone: boolean;
  /** `Handshake: (remote) …` lines of ssh2. */
  serverOffers: readonly string[];
  hostKeyAlgorithms: readonly string[];
  login: { user: string; offered: string; allowed: readonly string[]; partial: boolean };
}

export function diagnose(seen: Observed): Failure {
  if (seen.objection !== undefined) return hostKeyFailure(seen, seen.objection);
  if (messageOf(seen.error).includes('no matching host key format')) return hostKeyFailure(seen, otherKeyTypes(seen));
  if (errorLevel(seen.error) === 'client-timeout') return timeoutFailure(seen);
  const network = networkFault(seen.error);
  if (network.transient) return unreachable(seen, network.finding, true);
  return seen.handshakeDone ? loginFailure(seen) : handshakeFailure(seen);
}

export function unreachable(seen: { error: unknown }, finding: string, transient: boolean): Failure {
  const sentence = `expected an SSH server; found ${finding}`;
  return { reason: 'unreachable', sentence, transient, cause: seen.error };
}

function hostKeyFailure(seen: Observed, sentence: string): Failure {
  return { reason: 'host-key', sentence, transient: false, cause: seen.error };
}

function otherKeyTypes(seen: Observed): string {
  const expected = `expected a host key of a type on record (${seen.hostKeyAlgorithms.join(', ')})`;
  return `${expected}; found a server that has only ${offersOf(seen, 'Host key format')}`;
}

function timeoutFailure(seen: Observed): Failure {
  const stage = seen.handshakeDone ? 'the login did not come to an end' : 'it did not get through the SSH handshake';
  return unreachable(seen, `TCP connected, but ${stage} in time`, false);
}

function handshakeFailure(seen: Observed): Failure {
  const message = messageOf(seen.error);
  const nothing = /no matching (?:key exchange algorithm|\S+ \w+)/.exec(message);
  if (nothing !== null) {
    const offers = seen.serverOffers.join('; ');
    return unreachable(seen, `one with which no safe algorithm is shared (${nothing[0]}; it offers ${offers})`, false);
  }
  if (/before handshake|No response from server/.test(message)) {
    return unreachable(
      seen,
      'it closed the connection at once (too many logins at the same time, or a block list)',
      true,
    );
  }
  if (/identification string|expected newline/.test(message))
    return unreachable(seen, 'something that does not speak SSH 2', false);
  return unreachable(seen, `the SSH handshake failed: ${message}`, false);
}

function loginFailure(seen: Observed): Failure {
  const sentence = `expected to log in as ${seen.login.user} with ${seen.login.offered}; found ${loginFinding(seen)}`;
  return { reason: 'auth', sentence, transient: false, cause: seen.error };
}

function loginFinding(seen: Observed): string {
  const message = messageOf(seen.error);
  if (errorLevel(seen.error) === 'agent') return `the agent failed: ${message}`;
  const allowed = seen.login.allowed.length === 0 ? '' : ` (the server allows: ${seen.login.allowed.join(', ')})`;
  if (/too many authentication failures/i.test(message)) {
    return 'the server gave up after too many keys: give the one key as the input `key`, or an agent with fewer keys';
  }
  if (seen.login.partial) return `the key is accepted, but the server demands a second proof${allowed}`;
  if (message === 'All configured authentication methods failed') return `refused${allowed}`;
  return errorCode(seen.error) === '' && /No response/.test(message) ? 'the server hung up' : `${message}${allowed}`;
}

function offersOf(seen: Observed, what: string): string {
  const prefix = `(remote) ${what}: `;
  const line = seen.serverOffers.find((offer) => offer.startsWith(prefix));
  return line === undefined ? 'others' : line.slice(prefix.length).replaceAll(',', ', ');
}

function errorLevel(error: unknown): unknown {
  return error instanceof Error && 'level' in error ? error.level : undefined;
}
