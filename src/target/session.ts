import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel, Connection } from '../connection/port.ts';
import type { Millis } from '../config.ts';
import { UpgradeError } from '../errors.ts';
import { type Answer, parseRecord } from './answer.ts';
import { type Start, startOf } from './program.ts';

/** A conversation with one helper process on the target, kept open for the whole run: one login, one sudo. */
export interface Session {
  /**
   * Settled by the helper's first record. `elevated`: it runs as root through sudo, although the login is not root.
   * Rejects with HelperRefused or UpgradeError.
   */
  readonly ready: Promise<{ elevated: boolean }>;
  /** Request and answer pairs so far. */
  readonly requests: number;
  /**
   * Sent at once, behind what was asked before; the helper does one after the other. Rejects with UpgradeError `connection-lost` when the link or the helper
   * is gone (its effect is then unknown), `internal` when no answer came within `within`.
   */
  ask(verb: string, options: AskOptions): Promise<Answer>;
  close(): void;
}

export interface AskOptions {
  fields?: Record<string, string | number>;
  within: Millis;
  onEvent?: (event: string) => void;
  /** Sent right behind the request; the request says how many there are. */
  bytes?: Buffer;
}

export interface OpenOptions extends Omit<Start, 'marker'> {
  within: Millis;
}

/** The target said no before anything was asked: no shell, no sudo. `code` is a preflight code. */
export class HelperRefused extends Error {
  override readonly name = 'HelperRefused';
  readonly code: 'sudo-denied' | 'shell-denied';

  constructor(code: HelperRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const MAX_LINE = 1024 * 1024;
const MAX_NOISE = 4096;

/**
 * Starts a helper. What is asked before its first record has come goes along with it, and is answered behind that.
 * Rejects with UpgradeError where no command can be started.
 */
export async function openSession(connection: Connection, options: OpenOptions): Promise<Session> {
  const marker = randomBytes(8).toString('hex');
  const { entry, sudo, elevate, pidFile } = options;
  const start = startOf({ entry, sudo, elevate, marker, ...(pidFile === undefined ? {} : { pidFile }) });
  const channel = await connection.start(start.command);
  const talk = converse(channel, marker);
  channel.stdin.write(start.input);
  const ready = firstAnswer(channel, { talk, within: options.within });
  ready.catch(() => {});
  let requests = 0;
  let written: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();
  return {
    ready: ready.then(({ fields }) => ({ elevated: fields['elevated'] === true })),
    get requests() {
      return requests;
    },
    ask(verb, { fields = {}, within, onEvent, bytes }) {
      requests += 1;
      const id = requests;
      const line = requestLine(id, verb, fields);
      written = written.then(() => write(channel, { line, bytes })).catch(() => {});
      const answer = talk.next({ id, within, turn, ...(onEvent === undefined ? {} : { onEvent }) });
      turn = answer.catch(() => {});
      return answer;
    },
    close: () => channel.stdin.end(),
  };
}

const PIECE = 256 * 1024;

/** A request and what follows it. Where the stream ends, the helper's answer, or its absence, says why. */
async function write(channel: Channel, { line, bytes }: { line: string; bytes: Buffer | undefined }): Promise<void> {
  const { stdin, ended } = channel;
  stdin.write(line);
  if (bytes === undefined) return;
  // In pieces, which leave the event loop room for probes.
  for (let at = 0; at < bytes.length && stdin.writable; at += PIECE) {
    if (!stdin.write(bytes.subarray(at, at + PIECE))) await Promise.race([once(stdin, 'drain'), ended]);
  }
}

/** Leaves no process behind on the target where the first answer is a refusal or does not come. */
async function firstAnswer(channel: Channel, { talk, within }: { talk: Talk; within: Millis }): Promise<Answer> {
  try {
    const first = await talk.next({ id: 0, within });
    if (first.ok) return first;
    throw refusal(first.reason, `${first.message} ${talk.noise()}`.trim());
  } catch (error) {
    channel.abort();
    throw error;
  }
}

/** Fields are separated by tabs; values come from checked inputs and hold neither tabs nor newlines. */
export function requestLine(id: number, verb: string, fields: Record<string, string | number>): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${String(value).replaceAll(/[\t\r\n]/g, ' ')}`);
  return [id, verb, ...words].join('\t') + '\n';
}

function refusal(reason: string, message: string): Error {
  if (reason === 'sudo-denied' || reason === 'shell-denied') return new HelperRefused(reason, message);
  return new UpgradeError('internal', message);
}

interface Waiting {
  onEvent: ((event: string) => void) | undefined;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

interface NextOptions {
  id: number;
  /** Counted from its own turn: the helper does one after the other. */
  within: Millis;
  turn?: Promise<unknown>;
  onEvent?: (event: string) => void;
}

type Talk = ReturnType<typeof converse>;

/** Reads records as they come; everything else is noise, kept for the error message that may need it. */
function converse(channel: Channel, marker: string) {
  const waiting = new Map<number, Waiting>();
  let noise = '';
  let elevating = false;
  const chatter = (text: string): void => {
    if (noise.length < MAX_NOISE) noise += text;
  };
  channel.stdin.on('error', () => {}); // Told by `ended`.
  channel.stderr.on('data', (bytes: Buffer) => chatter(bytes.toString('utf8')));
  const unfinished = onLines(channel, (line) => {
    const record = parseRecord(line, marker);
    if (record === undefined) return chatter(`${line}\n`);
    if (record.kind === 'garbled') {
      const error = new UpgradeError('internal', `the target's helper answered something unreadable: ${record.line}`);
      for (const { reject } of waiting.values()) reject(error);
    } else if (record.kind === 'event') {
      elevating ||= record.event === 'elevating';
      waiting.get(record.id)?.onEvent?.(record.event);
    } else waiting.get(record.answer.id)?.resolve(record.answer);
  });
  return {
    noise: () => (noise + unfinished()).trim().slice(0, 500),
    async next({ id, within, turn, onEvent }: NextOptions): Promise<Answer> {
      const answer = new Promise<Answer>((resolve, reject) => {
        waiting.set(id, { resolve, reject, onEvent });
      });
      const stop = new AbortController();
      const silence = Promise.resolve(turn)
        .then(() => delay(within, undefined, { signal: stop.signal }))
        .then(
          () =>
            Promise.reject(
              new UpgradeError('internal', silent({ within, said: id === 0 ? noise + unfinished() : '' })),
            ),
          () => new Promise<never>(() => {}),
        );
      try {
        return await Promise.race([
          answer,
          silence,
          ending(channel, { first: id === 0, elevating: () => elevating, noise: () => noise + unfinished() }),
        ]);
      } finally {
        stop.abort();
        waiting.delete(id);
      }
    },
  };
}

function silent({ within, said }: { within: Millis; said: string }): string {
  const instead = said.trim() === '' ? '' : `; it said instead: ${said.trim().slice(0, 300)}`;
  return `no answer from the target's helper within ${within} ms${instead}`;
}

/** What sudo says where it was asked without the gate. */
const COMPLAINTS = /^sudo: |password is required|not in the sudoers|a terminal is required/m;

interface Circumstances {
  /** Nothing was answered yet at all. */
  first: boolean;
  /** The last thing that was said is that root is being asked for. */
  elevating: () => boolean;
  noise: () => string;
}

/** Rejects when the helper ends before it answered. An answer that was written just before is still read first. */
async function ending(channel: Channel, { first, elevating, noise }: Circumstances): Promise<never> {
  const ended = await channel.ended;
  await delay(20);
  const said = noise().trim().slice(0, 300);
  if (ended.kind === 'lost') throw new UpgradeError('connection-lost', `the connection was lost: ${ended.cause}`);
  const how = ended.kind === 'exit' ? `exit code ${ended.code}` : `signal ${ended.signal}`;
  if (!first)
    throw new UpgradeError('connection-lost', `the target's helper ended (${how}) without an answer. ${said}`);
  if (elevating() || COMPLAINTS.test(said)) throw new HelperRefused('sudo-denied', said || how);
  throw new HelperRefused('shell-denied', `the login shell ended (${how}) instead of running a command. ${said}`);
}

/**
 * Hands out whole lines; what it returns tells the piece after the last newline. Of a line longer than any of ours
 * the beginning is handed out: dropped, it would be an answer that never comes.
 */
function onLines(channel: Channel, take: (line: string) => void): () => string {
  let rest = '';
  channel.stdout.setEncoding('utf8');
  channel.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) take(line.slice(0, MAX_LINE));
  });
  return () => rest;
}
