import type { Duplex } from 'node:stream';
// oxlint-disable-next-line eslint/no-restricted-imports -- types only
import type { Client, ClientChannel } from 'ssh2';
import { messageOf, UpgradeError } from '../errors.ts';
import { execChannel } from './exec-channel.ts';
import type { Link } from './link.ts';
import type { Channel, Connection } from './port.ts';
import { dialError, tunnelStream } from './tunnel.ts';

/** A logged-in client as the port: commands and forwarded connections, for as long as `link` holds. */
export function openSession(client: Client, link: Link, about: { place: string; roundTripMs: number }): Connection {
  return {
    lost: link.lost,
    roundTripMs: about.roundTripMs,
    close: () => link.close(),
    start: async (command): Promise<Channel> => {
      try {
        return await opened(
          (done) => client.exec(command, done),
          (raw) => execChannel(raw, link),
        );
      } catch (error) {
        throw startError(error, link, about.place);
      }
    },
    dial: async (to): Promise<Duplex> => {
      try {
        return await opened(
          (done) => client.forwardOut('127.0.0.1', 0, to.host, to.port, done),
          (raw) => tunnelStream(raw, link),
        );
      } catch (error) {
        throw dialError(error, link, to);
      }
    },
  };
}

type Opened = (error: Error | undefined, channel: ClientChannel) => void;

/**
 * Rejects as well where ssh2 throws at once, because the link is gone already. `wrap` runs within the callback: a short
 * command's exit may lie in the same packet as the confirmation, and nobody would listen to it a microtask later.
 */
function opened<T>(open: (done: Opened) => void, wrap: (channel: ClientChannel) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    open((error, channel) => (error ? reject(error) : resolve(wrap(channel))));
  });
}

function startError(error: unknown, link: Link, place: string): UpgradeError {
  const expected = `${place}: expected to start a command`;
  if (link.over !== undefined)
    return new UpgradeError('connection-lost', `${expected}; found ${link.over}`, { cause: error });
  const message = `${expected}; the SSH server refused: ${messageOf(error)}`;
  return new UpgradeError('internal', message, { cause: error });
}
