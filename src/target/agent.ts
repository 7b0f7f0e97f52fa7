import type { Config, Millis, Target } from '../config.ts';
import type { Connection } from '../connection/port.ts';
import type { Span } from '../health/gaps.ts';
import { DecidedElsewhere, UpgradeError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { type Facts, parseFacts } from './facts.ts';
import { type Lifeline, openLifeline } from './lifeline.ts';
import type { Session } from './session.ts';

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
  /** When the link was lost and found again; monotonic times. */
  outages(): readonly Span[];
  /** The link was not lost, but silent: an outage as well. */
  noteSilence(span: Span): void;
  /** Of the upgrade that this run prepared or took over; empty before. */
  nonce(): string;
  facts(): Promise<Facts>;
  ask(verb: string, options?: StepOptions): Promise<Answer>;
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
  /** What follows the request, such as a binary. */
  bytes?: Buffer;
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

export interface AgentOptions {
  config: Config;
  identity: RunIdentity;
  cancel: AbortSignal;
  /** The port that will be probed, and the host before it: the facts tell who listens there. */
  probe?: string | undefined;
  /** Told about repeated tries to connect. */
  log?: (message: string) => void;
  /** Work for this machine while the other end is busy. */
  whileWaiting?: () => void;
}

/** What the agent remembers of the upgrade that it works on. */
interface Memory {
  /** What is asked of the facts. */
  wanted: Fields;
  nonce: string;
  /** The instance's state directory on the target. */
  directory: string;
  /** What this run itself asked for last, where that decides about the upgrade. */
  decision: string;
  /** The facts that were asked for along with the helper, until they are used. */
  early?: Promise<Facts> | undefined;
}

/** Connects and starts the helper. Rejects with UpgradeError or HelperRefused. */
export async function openAgent(target: Target, options: AgentOptions): Promise<Agent> {
  const { config, identity } = options;
  const memory: Memory = { wanted: wantedFacts(options), nonce: '', directory: '', decision: '' };
  const resume = (session: Session) => takeUpAgain(session, { memory, options });
  const early = (session: Session) => {
    memory.early = askFacts(session, { memory, config });
    memory.early.catch(() => {});
  };
  const lifeline = await openLifeline({ target, early, resume, ...options });
  const beside = (verb: string, fields: Fields, within: Millis) =>
    askBeside(lifeline, { verb, fields, within, memory });
  return {
    link: linkOver(lifeline),
    requests: lifeline.requests,
    outages: lifeline.outages,
    noteSilence: lifeline.noteSilence,
    nonce: () => memory.nonce,
    facts: () => lifeline.overLosses(() => earlyOr(memory, () => askFacts(lifeline.session(), { memory, config }))),
    ask(verb, { fields = {}, waits = 0, onEvent, bytes } = {}) {
      if (verb === 'prepare' || verb === 'adopt') memory.nonce = String(fields['nonce'] ?? memory.nonce);
      if (verb === 'commit' || verb === 'rollback') memory.decision = verb;
      if (verb === 'adopt' && fields['decide'] !== undefined) memory.decision = String(fields['decide']);
      const all = { who: identity.who, run: identity.run, ...fields };
      const within = Math.max(config.commandTimeout, waits + 15_000);
      const extras = { ...(onEvent === undefined ? {} : { onEvent }), ...(bytes === undefined ? {} : { bytes }) };
      const given = { fields: all, within, ...extras };
      const extend = () => beside('extend', { nonce: memory.nonce }, 10_000);
      const alive = { extend, everyMs: config.switch.confirmTimeout / 3, cancel: options.cancel };
      return lifeline.overLosses(() => withSignOfLife(lifeline.session().ask(verb, given), alive));
    },
    askBeside: beside,
    close: lifeline.close,
  };
}

/** The present link, whichever that is. */
function linkOver(lifeline: Lifeline): Connection {
  return {
    start: (command) => lifeline.connection().start(command),
    dial: (to) => lifeline.connection().dial(to),
    get lost() {
      return lifeline.connection().lost;
    },
    get roundTripMs() {
      return lifeline.connection().roundTripMs;
    },
    close: () => lifeline.connection().close(),
  };
}

/** What was asked ahead of time serves once: later facts are to be new. */
function earlyOr(memory: Memory, ask: () => Promise<Facts>): Promise<Facts> {
  const { early } = memory;
  memory.early = undefined;
  return early ?? ask();
}

function wantedFacts({ config: { pidFile }, probe }: AgentOptions): Fields {
  return { ...(pidFile === undefined ? {} : { pid_file: pidFile }), ...(probe === undefined ? {} : { probe }) };
}

async function askFacts(session: Session, { memory, config }: { memory: Memory; config: Config }): Promise<Facts> {
  const facts = parseFacts(
    (await session.ask('facts', { fields: memory.wanted, within: config.commandTimeout })).fields,
  );
  memory.directory = facts.ours.directory;
  return facts;
}

/** On a new session: in charge of the upgrade again, or an error that says how it was closed meanwhile. */
async function takeUpAgain(session: Session, { memory, options }: { memory: Memory; options: AgentOptions }) {
  const { config, identity } = options;
  const { ours } = await earlyOr(memory, () => askFacts(session, { memory, config }));
  const { nonce } = memory;
  if (nonce === '') return;
  if (ours.upgrade?.nonce !== nonce) {
    const { last } = ours;
    if (last?.get('nonce') === nonce) throw new ClosedMeanwhile(last.get('outcome') ?? '', last.get('why') ?? '');
    // The request that would have prepared it never arrived.
    if (ours.upgrade === null) return;
    throw new UpgradeError('changed-by-others', 'another upgrade is under way on this host');
  }
  // Whoever decided otherwise is at work on it: taking over would only end it half-way.
  const { decision, decisionWhy } = ours.upgrade;
  if (decision !== '' && decision !== memory.decision) throw new DecidedElsewhere(`${decision} ${decisionWhy}`);
  const fields = { nonce, run: identity.run };
  const adopted = await session.ask('adopt', { fields, within: config.commandTimeout });
  if (adopted.reason === 'rebooted') throw new ClosedMeanwhile(String(adopted.fields['outcome']), 'reboot');
}

interface Besides {
  verb: string;
  fields: Fields;
  within: Millis;
  memory: Memory;
}

async function askBeside(lifeline: Lifeline, { verb, fields, within, memory }: Besides): Promise<Answer> {
  const other = await lifeline.openBeside('once');
  try {
    await other.ready;
    return await other.ask(verb, { fields: { dir: memory.directory, ...fields }, within });
  } finally {
    other.close();
  }
}

/** A verb that waits long must not outlive the guard's deadline while its run is alive. */
async function withSignOfLife<T>(
  body: Promise<T>,
  { extend, everyMs, cancel }: { extend: () => Promise<unknown>; everyMs: Millis; cancel: AbortSignal },
): Promise<T> {
  const timer = setInterval(() => {
    if (!cancel.aborted) void extend().catch(() => {});
  }, everyMs);
  try {
    return await body;
  } finally {
    clearInterval(timer);
  }
}
