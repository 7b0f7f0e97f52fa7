import { setTimeout as delay } from 'node:timers/promises';
import type { Config, Target } from '../config.ts';
import { connect } from '../connection/connect.ts';
import type { Connection } from '../connection/port.ts';
import type { Span } from '../health/gaps.ts';
import { messageOf, UpgradeError } from '../errors.ts';
import { HelperRefused } from './helper-refused.ts';
import { openSession, type OpenOptions, type Session } from './session.ts';

export interface LifelineOptions {
  target: Target;
  config: Config;
  /** Told about repeated tries to connect. */
  log?: (message: string) => void;
  /** Work for this machine while the other end is busy: called once the first channel was asked for. */
  whileWaiting?: () => void;
  /** Once aborted, a lost connection stays lost: the guard on the target has been told to act. */
  cancel: AbortSignal;
  /** Asks for what is needed first, along with the helper. */
  early: (session: Session) => void;
  /** Called on a new session before anything else is asked there; throws where there is nothing to go on with. */
  resume: (session: Session) => Promise<void>;
}

/** The connection to one target and the helper's session over it; both are renewed when they are lost. */
export interface Lifeline {
  connection: () => Connection;
  session: () => Session;
  /** Request and answer pairs over all sessions. */
  requests: () => number;
  /** When the link was lost, from the last thing heard over it to the first over the next one. */
  outages: () => readonly Span[];
  noteSilence: (span: Span) => void;
  /** Runs `attempt`; after a loss connects again, resumes and runs it once more. */
  overLosses<T>(attempt: () => Promise<T>): Promise<T>;
  /** A helper process besides the session, on the present connection. */
  openBeside(entry: OpenOptions['entry']): ReturnType<typeof openSession>;
  close: () => void;
}

const MOST_LOSSES = 5;

/** Connects and starts the helper. Rejects with UpgradeError or HelperRefused. */
export async function openLifeline(options: LifelineOptions): Promise<Lifeline> {
  const { config, resume } = options;
  let now = await establish(options, options.cancel);
  let earlier = 0;
  let renewal: Promise<void> | undefined;
  let heard = performance.now();
  const outages: Span[] = [];

  async function renew(lost: unknown): Promise<void> {
    const from = heard;
    earlier += now.session.requests;
    now.connection.close();
    now = await establishAgain(options, lost);
    outages.push({ from, to: performance.now() });
    await resume(now.session);
  }

  return {
    connection: () => now.connection,
    session: () => now.session,
    requests: () => earlier + now.session.requests,
    outages: () => outages,
    noteSilence: (span) => void outages.push(span),
    async overLosses(attempt) {
      for (let losses = 0; ; losses += 1) {
        const used = now;
        try {
          const answer = await attempt();
          heard = performance.now();
          return answer;
        } catch (error) {
          if (!isLoss(error) || losses >= MOST_LOSSES || options.cancel.aborted) throw error;
          // Two requests side by side lose the same connection: only one of them renews it.
          if (used === now) renewal ??= renew(error).finally(() => (renewal = undefined));
          await renewal;
        }
      }
    },
    openBeside: (entry) => {
      // A second helper need not find out again whether root is needed.
      const elevate = now.elevated ? 'now' : 'never';
      return openSession(now.connection, { ...helperOptions(config), entry, elevate });
    },
    close() {
      now.session.close();
      now.connection.close();
    },
  };
}

interface Established {
  connection: Connection;
  session: Session;
  elevated: boolean;
}

/** `cancel` is for the first time only: a way back that was begun is gone to its end, or nobody could tell the guard to act. */
async function establish(
  { target, config, log, whileWaiting, early }: LifelineOptions,
  cancel?: AbortSignal,
): Promise<Established> {
  const connection = await connect(target, { ssh: config.ssh, ...(log === undefined ? {} : { log }) });
  try {
    const options = { ...helperOptions(config), ...(cancel === undefined ? {} : { cancel }) };
    const opening = openSession(connection, { ...options, entry: 'session' });
    if (whileWaiting !== undefined) setImmediate(whileWaiting);
    const session = await opening;
    early(session);
    return { connection, session, ...(await session.ready) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Exits: connected; another host key, login or command refused; no connection shortly before the guard's deadline. */
async function establishAgain(options: LifelineOptions, lost: unknown): Promise<Established> {
  const until = performance.now() + Math.max(options.config.switch.confirmTimeout - 5_000, 5_000);
  for (let wait = 200; ; wait = Math.min(wait * 2, 3_000)) {
    try {
      return await establish(options);
    } catch (error) {
      if (isHopeless(error) || performance.now() + wait > until) {
        const message = `${messageOf(lost)}; connecting again failed: ${messageOf(error)}`;
        throw new UpgradeError('connection-lost', message, { cause: error });
      }
      await delay(wait);
    }
  }
}

/** A silence is not: the login ran our command before, and the host may have much to do. */
export function isHopeless(error: unknown): boolean {
  if (error instanceof HelperRefused) return !error.mayPass;
  return !(error instanceof UpgradeError) || ['host-key', 'auth'].includes(error.reason);
}

function helperOptions({ commandTimeout, sudo, pidFile }: Config) {
  const elevate = sudo.length === 0 ? ('never' as const) : ('asNeeded' as const);
  return { sudo, elevate, within: Math.min(commandTimeout, 60_000), ...(pidFile === undefined ? {} : { pidFile }) };
}

function isLoss(error: unknown): boolean {
  return error instanceof UpgradeError && error.reason === 'connection-lost';
}
