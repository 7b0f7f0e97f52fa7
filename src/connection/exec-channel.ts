import { Writable } from 'node:stream';
// oxlint-disable-next-line eslint/no-restricted-imports -- types only
import type { ClientChannel } from 'ssh2';
import type { Link } from './link.ts';
import type { Channel, Ended } from './port.ts';

/** Gives a running command of ssh2 the manners of the port: its end is always told, and nothing waits for ever. */
export function execChannel(raw: ClientChannel, link: Link): Channel {
  const stdin = stdinOf(raw);
  const { promise: ended, resolve } = Promise.withResolvers<Ended>();
  let exit: Ended | undefined;
  const finish = (end: Ended): void => {
    forget();
    resolve(end);
    // ssh2 never calls back for what was written to a closed channel; whoever pipes into it must not wait for that.
    if (!stdin.writableFinished) stdin.destroy(new Error(NOT_READ));
  };
  const forget = link.onOver((cause) => finish({ kind: 'lost', cause }));
  raw.on('error', ignore);
  raw.stderr.on('error', ignore);
  raw.on('exit', (code: number | null, signal?: string) => {
    if (code !== null) exit = { kind: 'exit', code };
    else if (signal !== undefined) exit = { kind: 'signal', signal };
  });
  raw.on('close', () =>
    finish(exit ?? { kind: 'lost', cause: 'the channel closed without telling how the command ended' }),
  );
  const abort = (): void => {
    finish({ kind: 'lost', cause: 'given up by this run' });
    kill(raw);
    raw.close();
  };
  return { stdin, stdout: raw, stderr: raw.stderr, ended, abort };
}

/** What is used here of ssh2 beyond its types. */
interface Inside {
  outgoing: { id: number; state: string };
  _client: { _protocol: { signal: (channel: number, name: string) => void } };
}

/**
 * Ends the process group of the login's program, which may neither read its input nor write. ssh2's own `signal` does
 * nothing once the input was ended, which RFC 4254 (6.9) does not ask for.
 *
 * OpenSSH refuses this where the command was forced on the login, and where root logs in to one that does not separate
 * privileges then, such as 9.2 (session.c, session_signal_req). No other request ends a process. What reads its input or
 * writes ends with the channel all the same; what only waits goes on until it ends by itself, also after the connection.
 * Processes of others (root's, behind sudo) and other process groups are not reached either: they find their input ended.
 */
function kill(raw: ClientChannel): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types leave it out
  const { outgoing, _client: client } = raw as unknown as Inside;
  if (outgoing.state === 'open' || outgoing.state === 'eof') client._protocol.signal(outgoing.id, 'KILL');
}

const NOT_READ = 'the command does not read its input any more';

function stdinOf(raw: ClientChannel): Writable {
  const stdin = new Writable({
    highWaterMark: 256 * 1024,
    write: (chunk: Buffer, _encoding, done) => {
      if (raw.writable) raw.write(chunk, (error) => done(error));
      else done(new Error(NOT_READ));
    },
    final: (done) => {
      raw.end();
      done();
    },
  });
  return stdin.on('error', ignore);
}

/** A stream's fault is told by `ended`; without a listener it would end the process. */
function ignore(): void {}
