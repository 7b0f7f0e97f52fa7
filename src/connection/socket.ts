import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Millis } from '../config.ts';
import { messageOf } from '../errors.ts';

export interface OpenSocket {
  socket: Socket;
  /** How long the TCP handshake took, name lookup and failed addresses not counted. */
  roundTripMs: number;
}

/** Connects within `timeout`; rejects with the system's error, or one with the code `ETIMEDOUT`. */
export function openSocket(to: { host: string; port: number }, timeout: Millis): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to.host, port: to.port, noDelay: true });
    let started = performance.now();
    socket.on('connectionAttempt', () => {
      started = performance.now();
    });
    const timer = setTimeout(() => socket.destroy(timedOut()), timeout);
    // Stays for life: a reset may arrive before ssh2 listens and after it has stopped to.
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve({ socket, roundTripMs: performance.now() - started });
    });
  });
}

/**
 * ssh2 writes each packet in up to three pieces, which TCP_NODELAY would turn into as many segments: whatever is
 * written within one tick leaves in one system call instead.
 */
export function coalesceWrites(socket: Socket): void {
  const original = socket.write.bind(socket);
  let corked = false;
  const release = (): void => {
    corked = false;
    socket.uncork();
  };
  const write = (...args: Parameters<Socket['write']>): boolean => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(release);
    }
    return Reflect.apply(original, undefined, args);
  };
  Object.assign(socket, { write });
}

export interface NetworkFault {
  finding: string;
  /** Whether another try a moment later may well succeed. */
  transient: boolean;
}

const FAULTS: Readonly<Record<string, NetworkFault>> = {
  ECONNREFUSED: {
    finding: 'the connection was refused: nothing listens there, or a firewall says no',
    transient: true,
  },
  ECONNRESET: { finding: 'the connection was reset', transient: true },
  EPIPE: { finding: 'the connection was closed', transient: true },
  ETIMEDOUT: {
    finding: 'no answer at all: wrong address, host down, or a firewall that drops packets',
    transient: true,
  },
  EHOSTUNREACH: { finding: 'no route to that host', transient: true },
  ENETUNREACH: { finding: 'no route to that network', transient: true },
  EAI_AGAIN: { finding: 'the name could not be looked up: DNS gave no answer', transient: true },
  ENOTFOUND: { finding: 'the name has no address (DNS)', transient: false },
};

/** What a failed connection means, in words. */
export function networkFault(error: unknown): NetworkFault {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return FAULTS[errorCode(error)] ?? FAULTS[errorCode(first)] ?? { finding: messageOf(first), transient: false };
}

export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function timedOut(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}
