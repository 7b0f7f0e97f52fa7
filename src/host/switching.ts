import { setTimeout as delay } from 'node:timers/promises';
import { bake as bakeUntil } from '../health/bake.ts';
import type { Judgement } from '../health/judge.ts';
import type { HealthSettings, Millis } from '../config.ts';
import { UpgradeError } from '../errors.ts';
import { type Answer, fieldsOf } from '../target/answer.ts';
import { processOf } from '../target/facts.ts';
import { orCancelled, throwIfCancelled } from './cancellation.ts';
import { judgeErrorLog } from './error-log.ts';
import { evidenceOf, mustSucceed } from './errors.ts';
import { type HostRun, type Inspected, phase } from './host-run.ts';
import type { Probing } from './probing.ts';

/** How often the new generation is looked at while it serves; each look is also the run's sign of life. */
const LOOK_EVERY: Millis = 1_000;

/** A look takes a tenth of this; whoever waits so long for it waits for the link. */
const SILENT_AFTER: Millis = 2_000;

/**
 * Swap, USR2, the old name back on disk, new workers accepting. Where nothing is to be watched before WINCH, that is
 * asked for in the same breath (the target does it only for a generation that is ready): its answer is what is returned.
 */
export async function begin(run: Inspected): Promise<Promise<Answer>[]> {
  const { readyTimeout: waits, canaryTime } = run.config.switch;
  let swapped: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => (swapped = resolve));
  const asked = orCancelled(run.cancel, () =>
    run.agent.ask('begin', { ...ours(run), waits, onEvent: (event) => event === 'exec' && swapped?.() }),
  );
  const retiring = canaryTime === 0 && !run.cancel.aborted ? [run.agent.ask('retire', { ...ours(run), waits })] : [];
  for (const answer of [asked, ...retiring]) answer.catch(() => {});
  await phase(run, 'swap', () => Promise.race([ready, asked]));
  await phase(run, 'ready', async () => {
    const answer = mustSucceed(await asked, run.result);
    run.result.newMaster = processOf(fieldsOf(answer.fields, 'begin').object('newMaster'));
  });
  return retiring;
}

/** Both generations serve together, watched. */
export async function canary(run: Inspected): Promise<void> {
  const { canaryTime } = run.config.switch;
  if (canaryTime > 0) await phase(run, 'canary', () => watchFor(run, canaryTime));
}

/** WINCH, and no old worker accepts any more. */
export async function retire(run: Inspected, [asked]: Promise<Answer>[]): Promise<void> {
  await phase(run, 'retire', async () => {
    const waits = run.config.switch.readyTimeout;
    const answer = orCancelled(run.cancel, () => asked ?? run.agent.ask('retire', { ...ours(run), waits }));
    judgeErrorLog(mustSucceed(await answer, run.result), run.result);
  });
}

/** What follows is meant for this very upgrade. */
function ours({ agent }: HostRun) {
  return { fields: { nonce: agent.nonce() } };
}

/** The new generation serves alone, watched and probed, until it is proven. */
export async function bake(run: HostRun, probing: Probing | null): Promise<void> {
  const { health, switch: settings } = run.config;
  const { bakeTime } = settings;
  if (probing === null || health === undefined || health === 'none') {
    if (bakeTime > 0) await phase(run, 'bake', () => watchFor(run, bakeTime));
    return;
  }
  await phase(run, 'bake', () => bakeProbed(run, { probing, health }));
}

async function bakeProbed(run: HostRun, { probing, health }: { probing: Probing; health: HealthSettings }) {
  const stop = new AbortController();
  const looks = lookUntil(run, stop.signal).catch((error: unknown) => stop.abort(error));
  try {
    const result = await bakeUntil({
      probe: (signal) => overLiveLink(run, () => probing.probes.send(signal)),
      rules: { ...health, bakeTime: run.config.switch.bakeTime, redBefore: probing.probes.redBefore },
      watch: { signal: AbortSignal.any([stop.signal, run.cancel]) },
    });
    throwIfCancelled(run.cancel);
    if (stop.signal.aborted) throw stop.signal.reason;
    if (result.state === 'healthy') return;
    evidenceOf(run.result).probes.push(...result.evidence);
    throw new UpgradeError(result.state === 'unhealthy' ? 'unhealthy' : 'inconclusive', result.why);
  } finally {
    stop.abort();
    await looks;
  }
}

/**
 * A probe through a link that is gone or silent says nothing about the service. So whatever is not good is believed
 * only once the target has answered over the same link; over a new one the probe is sent again.
 */
async function overLiveLink(run: HostRun, send: () => Promise<Judgement>): Promise<Judgement> {
  for (;;) {
    const links = run.agent.outages().length;
    const from = performance.now();
    const judgement = await send();
    if (judgement.verdict === 'good' || judgement.cause === 'stopped') return judgement;
    const asked = performance.now();
    await orCancelled(run.cancel, () => look(run));
    const to = performance.now();
    // Answered late over the same link: it was silent, and the probe went down with it.
    if (to - asked > SILENT_AFTER) run.agent.noteSilence({ from, to });
    if (run.agent.outages().length === links) return judgement;
  }
}

async function watchFor(run: HostRun, time: Millis): Promise<void> {
  const end = AbortSignal.any([AbortSignal.timeout(time), run.cancel]);
  await lookUntil(run, end);
  throwIfCancelled(run.cancel);
  await look(run);
}

/** Looks every second until `end`; rejects with what it saw. The first look comes after the first second. */
async function lookUntil(run: HostRun, end: AbortSignal): Promise<void> {
  for (;;) {
    await delay(LOOK_EVERY, undefined, { signal: end }).catch(() => {});
    if (end.aborted) return;
    await look(run);
  }
}

async function look(run: HostRun): Promise<void> {
  const answer = mustSucceed(await run.agent.ask('look'), run.result);
  if (fieldsOf(answer.fields, 'look').flag('reparked')) {
    run.result.notes.push('Somebody reloaded the old master while it was parked: it was told to stop again.');
  }
  judgeErrorLog(answer, run.result);
}
