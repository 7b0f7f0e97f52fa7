import type { HealthSettings, Millis, Target } from '../config.ts';
import type { Connection } from '../connection/port.ts';
import type { ProbeTarget } from './answer.ts';
import { endOf } from './connect.ts';
import { quantile } from './gaps.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import { prepareProbes, sendProbe } from './request.ts';
import { judgeBaseline } from './verdict.ts';
import type { BaselineVerdict } from './verdict.ts';

/** Where a probe's connection starts. */
export type Source = 'target' | 'runner';

export interface HealthProbes {
  /** One fresh connection from every place that `health-from` names; good only if all are. Never rejects. */
  send(signal: AbortSignal): Promise<Judgement>;
  /** One fresh connection from the first of these places: what the measuring stream sends. Never rejects. */
  sendOne(signal: AbortSignal): Promise<Judgement>;
  /** A few probes at once one after another, before any change; ends early once nothing green can come of it. */
  baseline(signal: AbortSignal): Promise<Baseline>;
  /** What still counts once a red baseline was allowed: the places that were green, or else only what turns red. */
  afterAllowing(baseline: Baseline): HealthProbes;
  /** Every place was red before, and that was allowed: an argument of `bake` and `startStream`. */
  readonly redBefore: boolean;
}

export interface Baseline extends BaselineVerdict {
  /** Probing through SSH is forbidden there: the finding `forwarding-denied`. */
  denied: boolean;
  /** Of the good answers; null without one. */
  p99Ms: Millis | null;
  redSources: Source[];
  answers: Judgement[];
}

export interface Place {
  target: Target;
  connection: Connection;
}

const BASELINE_PROBES = 3;

/** Throws TypeError where the URL is none once `{host}` is filled in. */
export function healthProbes(settings: HealthSettings, place: Place): HealthProbes {
  const shared = {
    url: probeUrl(settings.url, place.target),
    headers: settings.headers,
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    timeout: settings.timeout,
  };
  const sources: Source[] = settings.from === 'both' ? ['target', 'runner'] : [settings.from];
  const probes = sources.map((source) => {
    const target: ProbeTarget = source === 'runner' ? shared : { ...shared, ...through(place.connection, shared.url) };
    const send = async (signal: AbortSignal) => judge(await sendProbe(target, signal), settings);
    return { source, send };
  });
  return probing(probes, { failureLimit: settings.failureLimit, redBefore: false });
}

/** Loads what the first probe of this target would otherwise wait for. Never rejects. */
export async function warmUpProbes(settings: HealthSettings | 'none' | undefined, target: Target): Promise<void> {
  if (settings === undefined || settings === 'none') return;
  const ca = settings.ca === undefined ? {} : { ca: settings.ca };
  await prepareProbes({ url: probeUrl(settings.url, target), ...ca }).catch(() => {});
}

/** `{host}` is the target's host name as it is connected to; `localhost` for `local`. */
export function probeUrl(template: string, target: Target): URL {
  const host = target.kind === 'local' ? 'localhost' : target.host;
  return new URL(template.replaceAll('{host}', host.includes(':') ? `[${host}]` : host));
}

interface Probe {
  source: Source;
  send: (signal: AbortSignal) => Promise<Judgement>;
}

function probing(probes: Probe[], options: { failureLimit: number; redBefore: boolean }): HealthProbes {
  return {
    redBefore: options.redBefore,
    send: async (signal) => worst(await sendAll(probes, signal)),
    sendOne: async (signal) => worst(await sendAll(probes.slice(0, 1), signal)),
    baseline: (signal) => takeBaseline(probes, { failureLimit: options.failureLimit, signal }),
    afterAllowing: ({ redSources }) => {
      const green = probes.filter(({ source }) => !redSources.includes(source));
      if (green.length > 0) return probing(green, options);
      return probing(probes, { ...options, redBefore: true });
    },
  };
}

function through(connection: Connection, url: URL): Pick<ProbeTarget, 'dial' | 'lost'> {
  const { host, port } = endOf(url);
  return { dial: () => connection.dial({ host, port }), lost: connection.lost };
}

type Sourced = Judgement & { source: Source };

async function takeBaseline(
  probes: Probe[],
  { failureLimit, signal }: { failureLimit: number; signal: AbortSignal },
): Promise<Baseline> {
  const rounds: Sourced[][] = [];
  const answers = (): Judgement[] => rounds.map(worst);
  while (rounds.length < BASELINE_PROBES) {
    rounds.push(await sendAll(probes, signal));
    if (answers().filter(({ verdict }) => verdict !== 'good').length > failureLimit) break;
  }
  const good = answers().filter(({ verdict }) => verdict === 'good');
  return {
    ...judgeBaseline(answers(), failureLimit),
    denied: rounds.flat().some(({ cause }) => cause === 'denied'),
    p99Ms: quantile(
      good.map(({ ms }) => ms).sort((a, b) => a - b),
      0.99,
    ),
    redSources: probes.map(({ source }) => source).filter((source) => isRed(source, { rounds, failureLimit })),
    answers: answers(),
  };
}

function isRed(source: Source, { rounds, failureLimit }: { rounds: Sourced[][]; failureLimit: number }): boolean {
  const own = rounds.flat().filter((judgement) => judgement.source === source);
  return judgeBaseline(own, failureLimit).state === 'red';
}

function sendAll(probes: Probe[], signal: AbortSignal): Promise<Sourced[]> {
  return Promise.all(probes.map(async ({ source, send }) => ({ ...(await send(signal)), source })));
}

/** One judgement for all places: the worst verdict, said with its place where there are several, and the longest time. */
function worst(judgements: Sourced[]): Judgement {
  const { source, ...judgement } = judgements.reduce((a, b) => (badness(b) > badness(a) ? b : a));
  const ms = Math.max(...judgements.map((each) => each.ms));
  return { ...judgement, ms, why: judgements.length === 1 ? judgement.why : `from the ${source}: ${judgement.why}` };
}

function badness({ verdict }: Judgement): number {
  return ['good', 'inconclusive', 'bad'].indexOf(verdict);
}
