import { setTimeout as pause } from 'node:timers/promises';
// oxlint-disable-next-line eslint/no-restricted-imports -- the one place that speaks SSH
import { NodeSSH } from 'node-ssh';
// oxlint-disable-next-line eslint/no-restricted-imports -- types only
import type { Algorithms } from 'ssh2';
import type { Millis, SshSettings } from '../config.ts';
import { UpgradeError } from '../errors.ts';
import { hostKeyPolicy } from '../ssh/host-key-policy.ts';
import type { HostKeyPolicy } from '../ssh/host-key-policy.ts';
import { parseKnownHosts } from '../ssh/known-hosts.ts';
import { diagnose, unreachable } from './diagnosis.ts';
import type { Failure } from './diagnosis.ts';
import { keepLink } from './link.ts';
import type { Keepalive } from './link.ts';
import { prepareLogin } from './login.ts';
import type { Login } from './login.ts';
import type { Connection } from './port.ts';
import { openSession } from './session.ts';
import { coalesceWrites, networkFault, openSocket } from './socket.ts';
import type { OpenSocket } from './socket.ts';

export interface LibraryOptions {
  host: string;
  port: number;
  user: string;
  ssh: SshSettings;
  /** Opened ahead of time, for the first try. */
  opening?: Promise<OpenSocket>;
  /** Told about every further try to connect. */
  log?: (message: string) => void;
  keepalive?: Keepalive;
}

type Attempt = { connection: Connection } | { failure: Failure };

const TRIES = 3;
const FIRST_PAUSE: Millis = 250;
const KEEPALIVE: Keepalive = { interval: 5_000, count: 3 };

/** What is offered besides host keys: nothing with SHA-1, CBC, ChaCha20 or a MAC over the plaintext. */
const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
} satisfies Algorithms;

/**
 * Logs in over node-ssh. Rejects with UpgradeError: `unreachable`, `host-key`, `auth`. Only connecting is tried again,
 * three times at most and all within `connectTimeout`, and only after faults that pass by themselves.
 */
export async function connectLibrary(options: LibraryOptions): Promise<Connection> {
  const policy = policyOf(options);
  const deadline = performance.now() + options.ssh.connectTimeout;
  for (let tried = 1; ; tried++) {
    const opening = tried === 1 ? options.opening : undefined;
    const attempt = await connectOnce(options, { policy, timeLeft: deadline - performance.now(), opening });
    if ('connection' in attempt) return attempt.connection;
    const { failure } = attempt;
    const wait = FIRST_PAUSE * 2 ** (tried - 1) * (0.5 + Math.random());
    if (!failure.transient || tried === TRIES || performance.now() + wait >= deadline) {
      throw upgradeError(options, failure, tried);
    }
    options.log?.(`${placeOf(options)}: ${failure.sentence}; trying again (${tried + 1} of ${TRIES})`);
    await pause(wait);
  }
}

function policyOf(options: LibraryOptions): HostKeyPolicy {
  const { knownHosts: text, fingerprints: pins } = options.ssh;
  const known = text === undefined ? undefined : parseKnownHosts(text);
  if (known !== undefined && known.problems.length > 0) {
    throw new UpgradeError(
      'host-key',
      `${placeOf(options)}: expected usable known-hosts; found ${known.problems.join('; ')}`,
    );
  }
  return hostKeyPolicy(
    { pins, ...(known === undefined ? {} : { knownHosts: known.entries }) },
    { name: options.host, port: options.port },
  );
}

async function connectOnce(
  options: LibraryOptions,
  given: { policy: HostKeyPolicy; timeLeft: Millis; opening: Promise<OpenSocket> | undefined },
): Promise<Attempt> {
  const login = prepareLogin(options.user, options.ssh);
  if (typeof login === 'string') return { failure: nothingToOffer(login) };
  const started = performance.now();
  let open: OpenSocket;
  try {
    open = await (given.opening ?? openSocket(options, given.timeLeft));
    if (open.socket.destroyed) throw open.socket.errored ?? new Error('the connection was closed at once');
  } catch (error) {
    const { finding, transient } = networkFault(error);
    return { failure: unreachable({ error }, finding, transient) };
  }
  const timeLeft = Math.max(1, given.timeLeft - (performance.now() - started));
  return logIn({ options, policy: given.policy, login, open, timeLeft });
}

function nothingToOffer(sentence: string): Failure {
  return { reason: 'auth', sentence, transient: false, cause: undefined };
}

interface LogIn {
  options: LibraryOptions;
  policy: HostKeyPolicy;
  login: Login;
  open: OpenSocket;
  timeLeft: Millis;
}

async function logIn(given: LogIn): Promise<Attempt> {
  const { options, policy, login } = given;
  const { socket, roundTripMs } = given.open;
  const seen = { objection: undefined as string | undefined, handshakeDone: false, serverOffers: [] as string[] };
  coalesceWrites(socket);
  const ssh = new NodeSSH();
  const connecting = ssh.connect({
    sock: socket,
    username: options.user,
    algorithms: { ...ALGORITHMS, serverHostKey: policy.algorithms },
    hostVerifier: (key: Buffer): boolean => {
      const verdict = policy.judge(key);
      if (!verdict.ok) seen.objection = verdict.message;
      return verdict.ok;
    },
    authHandler: login.handler,
    readyTimeout: given.timeLeft,
    keepaliveInterval: (options.keepalive ?? KEEPALIVE).interval,
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    debug: (line) => noteOffer(line, seen.serverOffers),
  });
  const client = ssh.connection;
  // For life: node-ssh takes its own listener back after login, and an unheard 'error' ends the process.
  client?.on('error', ignore);
  client?.on('handshake', () => {
    seen.handshakeDone = true;
  });
  try {
    await connecting;
  } catch (error) {
    socket.destroy();
    return { failure: diagnose({ ...seen, error, hostKeyAlgorithms: policy.algorithms, login }) };
  }
  if (client === null)
    return { failure: unreachable({ error: undefined }, 'the connection ended while logging in', true) };
  const link = keepLink(client, socket, options.keepalive ?? KEEPALIVE);
  return { connection: openSession(client, link, { place: placeOf(options), roundTripMs }) };
}

function upgradeError(options: LibraryOptions, failure: Failure, tried: number): UpgradeError {
  const times = tried === 1 ? '' : ` (${tried} tries)`;
  const message = `${placeOf(options)}: ${failure.sentence}${times}`;
  return new UpgradeError(failure.reason, message, { cause: failure.cause });
}

function placeOf(options: { host: string; port: number }): string {
  return options.host.includes(':') ? `[${options.host}]:${options.port}` : `${options.host}:${options.port}`;
}

function noteOffer(line: string, offers: string[]): void {
  if (line.startsWith('Handshake: (remote) ')) offers.push(line.slice('Handshake: '.length));
}

function ignore(): void {}
