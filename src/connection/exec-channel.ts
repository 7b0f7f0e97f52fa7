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
    raw.close();
  };
  return { stdin, stdout: raw, stderr: raw.stderr, ended, abort };
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
