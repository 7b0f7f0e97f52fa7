import { PassThrough } from 'node:stream';
import type { Channel, Connection, Ended } from '../../../src/connection/port.ts';
import { helperProgram } from '../../../src/target/program.ts';

/** The far end of a channel, for what a real helper cannot be brought to do. */
export interface FarEnd {
  connection: Connection;
  /** Command lines that were started. */
  commands: string[];
  /** The next line that the session writes, the program left out. */
  heard(): Promise<string>;
  /** One record with the session's own marker; `heard` has to have been called for it to be known. */
  says(record: Record<string, unknown>): void;
  writes(text: string): void;
  complains(text: string): void;
  ends(how: Ended): void;
  /** The session has given up on the command. */
  aborted(): boolean;
}

export function farEnd(): FarEnd {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let aborted = false;
  const ended = Promise.withResolvers<Ended>();
  const channel: Channel = { stdin, stdout, stderr, ended: ended.promise, abort: () => void (aborted = true) };
  const commands: string[] = [];
  const lines = linesOf(stdin);
  let marker = '';
  return {
    connection: {
      start: async (command) => {
        commands.push(command);
        return channel;
      },
      dial: () => Promise.reject(new Error('expected no dialling')),
      lost: new AbortController().signal,
      roundTripMs: 0,
      close: () => {},
    },
    commands,
    async heard() {
      const line = (await lines.next()).value ?? '';
      if (line.startsWith('nhu1\t')) marker = line.split('\t')[1] ?? '';
      return line;
    },
    says: (record) => void stdout.write(`@${marker} ${JSON.stringify({ v: 1, ...record })}\n`),
    writes: (text) => void stdout.write(text),
    complains: (text) => void stderr.write(text),
    ends: ended.resolve,
    aborted: () => aborted,
  };
}

async function* linesOf(stdin: PassThrough): AsyncGenerator<string, undefined> {
  let text = '';
  let program = helperProgram().length;
  for await (const bytes of stdin) {
    const more = String(bytes);
    text += more.slice(program);
    program = Math.max(0, program - more.length);
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
  return undefined;
}
