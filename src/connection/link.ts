import type { Socket } from 'node:net';
// oxlint-disable-next-line eslint/no-restricted-imports -- types only
import type { Client } from 'ssh2';
import type { Millis } from '../config.ts';
import { messageOf } from '../errors.ts';
import { networkFault } from './socket.ts';

/** The life of one logged-in connection, from login to its end, whoever ends it. */
export interface Link {
  /** Aborted when the link broke; never by `close`. The reason is the cause as a string. */
  readonly lost: AbortSignal;
  /** Why it is over; undefined: it is not. */
  readonly over: string | undefined;
  /** Calls `listener` once when the link is over; the result takes it back. */
  onOver(listener: (cause: string) => void): () => void;
  close(): void;
}

export interface Keepalive {
  interval: Millis;
  /** So many intervals without a single byte from the server: the link is dead. */
  count: number;
}

/** Half a second for the goodbye to leave; a peer that does not read any more must not hold the process. */
const GOODBYE: Millis = 500;

/** Takes over a client that has just logged in on `socket`. */
export function keepLink(client: Client, socket: Socket, keepalive: Keepalive): Link {
  const controller = new AbortController();
  const listeners = new Set<(cause: string) => void>();
  let over: string | undefined;

  const finish = (cause: string): boolean => {
    if (over !== undefined) return false;
    over = cause;
    stopWatching();
    for (const listener of listeners) listener(cause);
    listeners.clear();
    return true;
  };
  const lose = (cause: string): void => {
    if (over !== undefined) return;
    controller.abort(cause);
    finish(cause);
    socket.destroy();
  };
  const stopWatching = watchPulse(socket, keepalive, lose);
  client.on('error', (error) => lose(causeOf(error)));
  client.on('end', () => lose('the server closed the connection'));
  client.on('close', () => lose('the connection was closed'));
  if (socket.destroyed || socket.readableEnded) lose('the server closed the connection');

  return {
    lost: controller.signal,
    get over() {
      return over;
    },
    onOver(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      if (finish('the connection was closed by this run')) sayGoodbye(client, socket);
    },
  };
}

/**
 * ssh2 sends the pings but counts their answers only, which queue behind an upload on a slow line: any byte from the
 * server is a sign of life here.
 */
function watchPulse(socket: Socket, keepalive: Keepalive, lose: (cause: string) => void): () => void {
  let seen = socket.bytesRead;
  let silent = 0;
  const timer = setInterval(() => {
    silent = socket.bytesRead === seen ? silent + 1 : 0;
    seen = socket.bytesRead;
    if (silent > keepalive.count) lose(`no sign of life for ${(keepalive.interval * silent) / 1000} s`);
  }, keepalive.interval);
  return () => clearInterval(timer);
}

function sayGoodbye(client: Client, socket: Socket): void {
  client.end();
  const timer = setTimeout(() => socket.destroy(), GOODBYE);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.destroySoon();
}

function causeOf(error: unknown): string {
  const fault = networkFault(error);
  return fault.transient ? fault.finding : messageOf(error);
}
