import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Channel, Connection } from '../connection/port.ts';
import type { Millis } from '../config.ts';
import { UpgradeError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { converse } from './converse.ts';
import { HelperRefused } from './helper-refused.ts';
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
  /** Aborted before the first record: nobody waits for it any more. */
  cancel?: AbortSignal;
}

/**
 * Starts a helper. What is asked before its first record has come goes along with it, and is answered behind that.
 * Rejects with UpgradeError where no command can be started.
 */
export async function openSession(connection: Connection, options: OpenOptions): Promise<Session> {
  const marker = randomBytes(8).toString('hex');
  const { entry, sudo, elevate, pidFile } = options;
  const start = startOf({ entry, sudo, elevate, marker, ...(pidFile === undefined ? {} : { pidFile }) });
  const channel = await connection.start(start.command);
  const talk = converse(channel, { marker, within: options.within, afterSudo: elevate === 'now' });
  channel.stdin.write(start.input);
  const ready = firstAnswer(channel, { talk, within: options.within });
  ready.catch(() => {});
  giveUpOn(options.cancel, { channel, until: ready });
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
async function firstAnswer(
  channel: Channel,
  { talk, within }: { talk: ReturnType<typeof converse>; within: Millis },
): Promise<Answer> {
  try {
    const first = await talk.next({ id: 0, within });
    if (first.ok) return first;
    throw refusal(first.reason, `${first.message} ${talk.noise()}`.trim());
  } catch (error) {
    channel.abort();
    throw error;
  }
}

/** The run may end right after: what waits on the target must not wait for that. */
function giveUpOn(
  cancel: AbortSignal | undefined,
  { channel, until }: { channel: Channel; until: Promise<unknown> },
): void {
  if (cancel === undefined) return;
  const abort = (): void => channel.abort();
  const forget = (): void => cancel.removeEventListener('abort', abort);
  if (cancel.aborted) return abort();
  cancel.addEventListener('abort', abort);
  until.then(forget, forget);
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
