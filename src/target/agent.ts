import { setTimeout as delay } from 'node:timers/promises';
import type { Config, Millis, Target } from '../config.ts';
import { connect } from '../connection/connect.ts';
import type { Connection } from '../connection/port.ts';
import { UpgradeError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { type Facts, parseFacts } from './facts.ts';
import { openSession, requestLine, type Session } from './session.ts';

/** Words for the lock and the journal on the target. */
export interface RunIdentity {
  /** Who started the run. */
  who: string;
  /** URL of the run, or what stands for it. */
  run: string;
}

/**
 * The helper on one target, as a thing to ask. Survives the loss of a connection: it connects again (host key checked
 * again), reads what is true, takes the upgrade over from the helper process left behind and asks the same again, which
 * every verb allows.
 */
export interface Agent {
  /** The present link; stays usable over a reconnect. */
  readonly link: Connection;
  /** Request and answer pairs, uploads apart. */
  requests(): number;
  /** Of the upgrade that this run prepared or took over; empty before. */
  nonce(): string;
  facts(): Promise<Facts>;
  ask(verb: string, options?: StepOptions): Promise<Answer>;
  /** Streams a binary into the staging directory, on a channel of its own. */
  receive(options: ReceiveOptions): Promise<Answer>;
  /** On a channel of its own, while another request may wait. */
  askBeside(verb: string, fields: Fields, within: Millis): Promise<Answer>;
  close(): void;
}

type Fields = Record<string, string | number>;

export interface StepOptions {
  fields?: Fields;
  /** How long the verb itself may wait on the target. */
  waits?: Millis;
  onEvent?: (event: string) => void;
}

export interface ReceiveOptions {
  fields: Fields;
  /** The channel opens at once; the request and the bytes follow when this was answered well. */
  prepared: Promise<Answer>;
  /** Called anew for every attempt. */
  bytes: () => AsyncIterable<Uint8Array>;
}

/** The upgrade was closed by the guard or by somebody else while this run was away. */
export class ClosedMeanwhile extends Error {
  override readonly name = 'ClosedMeanwhile';
  readonly outcome: string;
  readonly why: string;

  constructor(outcome: string, why: string) {
    super(`the upgrade was closed meanwhile: ${outcome} (${why})`);
    this.outcome = outcome;
    this.why = why;
  }
}

/** Connects and starts the helper. Rejects with UpgradeError or HelperRefused. */
export async function openAgent(target: Target, options: { config: Config; identity: RunIdentity }): Promise<Agent> {
  const { config, identity } = options;
  let connection = await connect(target, config);
  let session = await startHelper(connection, config);
  let nonce: string | undefined;
  let directory = '';
  let earlier = 0;

  /** Exits: connected and in charge again; closed meanwhile; no connection within the guard's deadline. */
  async function takeUpAgain(lost: unknown): Promise<void> {
    const until = performance.now() + Math.max(config.switch.confirmTimeout - 5_000, 5_000);
    earlier += session.requests;
    connection.close();
    for (let wait = 200; ; wait = Math.min(wait * 2, 3_000)) {
      try {
        connection = await connect(target, config);
        session = await startHelper(connection, config);
        break;
      } catch (error) {
        const hopeless = !(error instanceof UpgradeError) || ['host-key', 'auth'].includes(error.reason);
        if (hopeless || performance.now() + wait > until) throw unreachableAgain(lost, error);
        await delay(wait);
      }
    }
    const facts = await askFacts();
    if (nonce === undefined) return;
    const ended = facts.ours.last;
    if (facts.ours.upgrade?.nonce !== nonce) {
      if (ended?.get('nonce') !== nonce) throw new UpgradeError('changed-by-others', 'another upgrade is under way');
      throw new ClosedMeanwhile(ended.get('outcome') ?? '', ended.get('why') ?? '');
    }
    const fields = { nonce, run: identity.run };
    const adopted = await session.ask('adopt', { fields, within: config.commandTimeout });
    if (adopted.reason === 'rebooted') throw new ClosedMeanwhile('rolled-back', 'reboot');
  }

  async function askFacts(): Promise<Facts> {
    const fields = config.pidFile === undefined ? {} : { pid_file: config.pidFile };
    const facts = parseFacts((await session.ask('facts', { fields, within: config.commandTimeout })).fields);
    directory = facts.ours.directory;
    return facts;
  }

  async function again<T>(attempt: () => Promise<T>): Promise<T> {
    for (let losses = 0; ; losses += 1) {
      try {
        return await attempt();
      } catch (error) {
        const lost = error instanceof UpgradeError && error.reason === 'connection-lost';
        if (!lost || losses >= 5) throw error;
        await takeUpAgain(error);
      }
    }
  }

  async function beside(verb: string, fields: Fields, within: Millis): Promise<Answer> {
    const other = await openSession(connection, { ...helperOptions(config), entry: 'once', ...elevation(session) });
    try {
      return await other.ask(verb, { fields: { dir: directory, ...fields }, within });
    } finally {
      other.close();
    }
  }

  /** A verb that waits long must not outlive the guard's deadline while its run is alive. */
  async function withSignOfLife<T>(body: Promise<T>): Promise<T> {
    const timer = setInterval(
      () => void beside('extend', {}, 10_000).catch(() => {}),
      config.switch.confirmTimeout / 3,
    );
    try {
      return await body;
    } finally {
      clearInterval(timer);
    }
  }

  return {
    link: {
      start: (command) => connection.start(command),
      dial: (to) => connection.dial(to),
      get lost() {
        return connection.lost;
      },
      get roundTripMs() {
        return connection.roundTripMs;
      },
      close: () => connection.close(),
    },
    requests: () => earlier + session.requests,
    nonce: () => nonce ?? '',
    facts: () => again(askFacts),
    async ask(verb, { fields = {}, waits = 0, onEvent } = {}) {
      if (verb === 'prepare' || verb === 'adopt') nonce = String(fields['nonce'] ?? nonce ?? '') || undefined;
      const all = { who: identity.who, run: identity.run, ...fields };
      const within = Math.max(config.commandTimeout, waits + 15_000);
      const call = () => session.ask(verb, { fields: all, within, ...(onEvent === undefined ? {} : { onEvent }) });
      return again(() => withSignOfLife(call()));
    },
    receive: ({ fields, prepared, bytes }) =>
      again(async () => {
        const other = await openSession(connection, {
          ...helperOptions(config),
          entry: 'receive',
          ...elevation(session),
        });
        const go = await prepared.catch(() => undefined);
        if (go?.ok !== true) {
          other.close();
          throw new UpgradeError('upload-failed', 'the target was not prepared for the upload');
        }
        other.channel.stdin.write(requestLine(1, 'receive', { dir: directory, ...fields }));
        const answer = other.awaitAnswer(1, config.commandTimeout);
        answer.catch(() => {});
        await pour(bytes(), other.channel.stdin);
        return answer;
      }),
    askBeside: beside,
    close() {
      session.close();
      connection.close();
    },
  };
}

function helperOptions(config: Config) {
  const within = Math.min(config.commandTimeout, 60_000);
  return { sudo: config.sudo, within, ...(config.pidFile === undefined ? {} : { pidFile: config.pidFile }) };
}

/** A second helper need not find out again whether root is needed. */
function elevation(session: Session): { elevateNow?: true; sudo?: string[] } {
  return session.elevated ? { elevateNow: true } : { sudo: [] };
}

async function startHelper(connection: Connection, config: Config): Promise<Session> {
  try {
    return await openSession(connection, { ...helperOptions(config), entry: 'session' });
  } catch (error) {
    connection.close();
    throw error;
  }
}

function unreachableAgain(lost: unknown, error: unknown): UpgradeError {
  const cause = error instanceof Error ? error.message : String(error);
  const first = lost instanceof Error ? lost.message : String(lost);
  return new UpgradeError('connection-lost', `${first}; connecting again failed: ${cause}`, { cause: error });
}

/** Exits: all written; the stream broke (its answer tells why). */
async function pour(bytes: AsyncIterable<Uint8Array>, stdin: NodeJS.WritableStream): Promise<void> {
  const { pipeline } = await import('node:stream/promises');
  await pipeline(bytes, stdin).catch(() => {});
}
