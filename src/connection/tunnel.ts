import { Duplex } from 'node:stream';
// oxlint-disable-next-line eslint/no-restricted-imports -- types only
import type { ClientChannel } from 'ssh2';
import { messageOf } from '../errors.ts';
import type { Link } from './link.ts';
import { DialError } from './port.ts';

/**
 * A forwarded connection as a stream that can be destroyed and that closes, like a socket: ssh2's own cannot. A lost
 * link destroys it with a DialError of the kind `lost`, `close()` without an error.
 */
export function tunnelStream(raw: ClientChannel, link: Link): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => raw.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      raw.write(chunk, (error) => done(error));
    },
    final: (done) => {
      raw.end();
      done();
    },
    destroy: (error, done) => {
      forget();
      raw.close();
      raw.resume();
      done(error);
    },
  });
  const forget = link.onOver((cause) => stream.destroy(link.lost.aborted ? new DialError('lost', cause) : undefined));
  raw.on('error', (error: Error) => stream.destroy(error));
  raw.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) raw.pause();
  });
  raw.on('end', () => stream.push(null));
  raw.on('close', () => {
    if (!stream.writableFinished) stream.destroy();
  });
  return stream;
}

/** What a refusal to open a channel to `to` says about the service there (RFC 4254, section 5.1). */
export function dialError(error: unknown, link: Link, to: { host: string; port: number }): DialError {
  const place = `${to.host}:${to.port}`;
  const message = messageOf(error);
  if (link.over !== undefined) return new DialError('lost', `cannot reach ${place} through the target: ${link.over}`);
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  if (reason === CONNECT_FAILED) return new DialError('refused', `${place} as seen on the target: ${message}`);
  if (reason === PROHIBITED || reason === UNKNOWN_TYPE) {
    return new DialError('denied', `the target's SSH server does not allow a connection to ${place}: ${message}`);
  }
  return new DialError('lost', `the target's SSH server could not open a connection to ${place}: ${message}`);
}

const PROHIBITED = 1;
const CONNECT_FAILED = 2;
const UNKNOWN_TYPE = 3;
