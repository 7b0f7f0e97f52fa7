import { setTimeout as delay } from 'node:timers/promises';
import type { Millis } from '../config.ts';
import type { Channel } from '../connection/port.ts';
import { UpgradeError } from '../errors.ts';
import { type Answer, parseRecord } from './answer.ts';
import { HelperRefused } from './helper-refused.ts';
import { type StartWatch, watchStart } from './start-watch.ts';

const MAX_LINE = 1024 * 1024;
const MAX_NOISE = 4096;

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

interface ConverseOptions {
  marker: string;
  /** For the first record. */
  within: Millis;
  /** Whether sudo comes before the shell. */
  afterSudo: boolean;
}

/** Reads records as they come; everything else is noise, kept for the error message that may need it. */
export function converse(channel: Channel, { marker, ...about }: ConverseOptions) {
  const waiting = new Map<number, Waiting>();
  let noise = '';
  let elevating = false;
  const chatter = (text: string): void => {
    if (noise.length < MAX_NOISE) noise += text;
  };
  const start = watchStart(channel, { ...about, noise: () => noise + unfinished() });
  channel.stdin.on('error', () => {}); // Told by `ended`.
  channel.stderr.on('data', (bytes: Buffer) => chatter(bytes.toString('utf8')));
  const unfinished = onLines(channel, (line) => {
    const record = parseRecord(line, marker);
    if (record === undefined) return chatter(`${start.take(line)}\n`);
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
          () => {
            if (id === 0 && start.hungUp) return start.refused;
            throw new UpgradeError('internal', silent({ within, said: id === 0 ? noise + unfinished() : '' }));
          },
          () => new Promise<never>(() => {}),
        );
      try {
        return await Promise.race([
          answer,
          silence,
          ending(channel, { first: id === 0, start, elevating: () => elevating, noise: () => noise + unfinished() }),
          ...(id === 0 ? [start.refused] : []),
        ]);
      } finally {
        if (id === 0) start.stop();
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
  start: StartWatch;
  /** The last thing that was said is that root is being asked for. */
  elevating: () => boolean;
  noise: () => string;
}

/** Rejects when the helper ends before it answered. An answer that was written just before is still read first. */
async function ending(channel: Channel, { first, start, elevating, noise }: Circumstances): Promise<never> {
  const ended = await channel.ended;
  await delay(20);
  if (first && start.hungUp && ended.kind !== 'lost') return start.refused;
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
