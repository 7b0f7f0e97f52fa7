import { type Baseline, type HealthProbes, healthProbes } from '../health/probes.ts';
import type { MasterFacts } from '../target/facts.ts';
import { type ProbeStream, startStream } from '../health/stream.ts';
import { evidenceOf } from './errors.ts';
import { type HostRun, type Inspected, phase } from './host-run.ts';
import { rulesOf, settle } from './inspect.ts';
import { joined, judgeFinding } from './preflight/preflight.ts';
import type { Finding } from '../report/result.ts';
import { attribution } from './attributing.ts';

/** The health of one host during one switch; null where the user said `none`. */
export interface Probing {
  probes: HealthProbes;
  baselineP99Ms: number | null;
  stream: ProbeStream | undefined;
}

/** A baseline that is being taken while the target is inspected: it changes nothing there. */
export interface EarlyBaseline {
  probes: HealthProbes;
  answers: Promise<Baseline>;
}

export function startBaseline(run: HostRun): EarlyBaseline | null {
  const probes = probesOf(run);
  if (probes === null) return null;
  const answers = probes.baseline(run.cancel);
  answers.catch(() => {});
  return { probes, answers };
}

/** Red before any change proves nothing: refused, or allowed and then only what turns red counts. */
export async function judgeBaseline(run: Inspected, early: EarlyBaseline | null): Promise<Probing | null> {
  if (early === null) return null;
  return phase(run, 'preflight', async () => {
    const { probes } = early;
    const baseline = await early.answers;
    const rules = rulesOf(run);
    const found: Finding[] = [];
    const foreign = await attribution(run, run.facts.master);
    if (foreign !== undefined) found.push(foreign);
    if (baseline.denied) found.push(forwardingDenied());
    else if (baseline.state !== 'green') found.push(redBefore(baseline.why));
    settle(run, joined(...found.map((finding) => judgeFinding(finding, rules))));
    const counted = baseline.state === 'green' ? probes : probes.afterAllowing(baseline);
    return { probes: counted, baselineP99Ms: baseline.p99Ms, stream: undefined };
  });
}

export function probesOf({ config, target, agent }: HostRun): HealthProbes | null {
  const { health } = config;
  if (health === undefined || health === 'none') return null;
  return healthProbes(health, { target, connection: agent.link });
}

/** For a held upgrade, which has no baseline: throws Refused where the probes would ask somebody else. */
export async function settleAttribution(run: HostRun, master: MasterFacts | null): Promise<void> {
  const foreign = master === null ? undefined : await attribution(run, master);
  if (foreign !== undefined) settle(run, judgeFinding(foreign, rulesOf(run)));
}

/** One fresh connection every 50 ms, from before USR2 on. */
export function startMeasuring(probing: Probing | null): void {
  if (probing === null) return;
  const { probes } = probing;
  probing.stream = startStream({ send: (signal) => probes.sendOne(signal), redBefore: probes.redBefore });
}

/** No old worker accepts any more: from here on one probe every `health-interval`. */
export function slowDown(run: HostRun, probing: Probing | null): void {
  const { health } = run.config;
  if (health !== undefined && health !== 'none') probing?.stream?.slowDown(health.interval);
}

/** Ends the stream and writes its numbers into the result. */
export async function stopMeasuring(run: HostRun, probing: Probing | null): Promise<void> {
  if (probing?.stream === undefined) return;
  const { evidence, inconclusive, stalled: _, ...numbers } = await probing.stream.stop({ blind: run.agent.outages() });
  probing.stream = undefined;
  run.result.probe = { ...numbers, baselineP99Ms: probing.baselineP99Ms };
  if (inconclusive > 0) run.result.notes.push(`${inconclusive} probes could not be judged: our own connection failed.`);
  if (evidence.length > 0) evidenceOf(run.result).probes.push(...evidence);
}

function forwardingDenied() {
  return {
    code: 'forwarding-denied',
    message: 'the SSH server does not allow forwarding, so the health URL cannot be asked as the target sees it',
    fix: 'Set `health-from: runner`, or allow it in sshd_config: AllowTcpForwarding local.',
  };
}

function redBefore(why: string) {
  return {
    code: 'health-red-before',
    message: `the health URL is red before any change, so it could prove nothing afterwards. ${why}`,
    fix: 'Repair the service or the health inputs first. Where that is accepted, only what turns red counts.',
  };
}
