import { PassThrough } from 'node:stream';
import type { Channel, Connection, Ended } from '../../../src/connection/port.ts';
import { PREFACE } from '../../../src/target/preface.ts';
import { helperProgram, unrunnable } from '../../../src/target/program.ts';

/** The far end of a channel, for what a real helper cannot be brought to do. */
export interface FarEnd {
  connection: Connection;
  /** Command lines that were started. */
  commands: string[];
  /** The next line that the session writes, the programs left out: gate and helper, or the helper alone. */
  heard(): Promise<string>;
  /** One record with the session's own marker; throws where `heard` was not called before, so that none is known. */
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
  const lines = linesOf(stdin, () => commands[0] ?? '');
  let marker = '';
  let greeted = false;
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
      const line = (await lines.next()).value;
      if (line === undefined) throw new Error('expected another line, found the end of the input');
      if (marker === '') marker = /^nhu1\t([0-9a-f]{16})(\t|$)/.exec(line)?.[1] ?? '';
      // Whoever goes on behind the gate is told it anew.
      if (line === `nhu1\t${marker}` && greeted) return this.heard();
      greeted = true;
      if (marker === '') throw new Error(`expected the first line to name a marker, found "${line.slice(0, 80)}"`);
      return line;
    },
    says(record) {
      if (marker === '') throw new Error('expected the first line to have been heard before anything is said');
      stdout.write(`@${marker} ${JSON.stringify({ v: 1, ...record })}\n`);
    },
    writes: (text) => void stdout.write(text),
    complains: (text) => void stderr.write(text),
    ends: ended.resolve,
    aborted: () => aborted,
  };
}

/** The lines between and behind the programs, which are read by their length as a target does. */
async function* linesOf(stdin: PassThrough, command: () => string): AsyncGenerator<string, undefined> {
  let text = '';
  let unread = -1;
  for await (const bytes of stdin) {
    text += String(bytes);
    if (unread < 0) unread = PREFACE.length + Number(/count=(\d+)/.exec(command())?.[1]);
    for (;;) {
      const read = Math.min(unread, text.length);
      text = text.slice(read);
      unread -= read;
      const end = unread > 0 ? -1 : text.indexOf('\n');
      if (end < 0) break;
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      // The gate asks with what to become root; the helper follows its line.
      if (line.startsWith('nhu1\t') && line.includes('\tsudo='))
        unread = PREFACE.length + unrunnable(helperProgram()).length;
      yield line;
    }
  }
  return undefined;
}
