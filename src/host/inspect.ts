import type { Facts } from '../target/facts.ts';
import { parseBuildInfo } from '../nginx/build-info.ts';
import { orCancelled } from './cancellation.ts';
import { brokenFinding } from './errors.ts';
import { Refused } from '../errors.ts';
import type { TargetState } from '../report/result.ts';
import { type HostRun, type Inspected, phase } from './host-run.ts';
import { joined, judgeCandidate, judgeHost, type Judgement, type Rules } from './preflight/preflight.ts';

/** Reads the target's facts and writes what runs there into the result. Changes nothing on the target. */
export async function inspect(run: HostRun): Promise<Facts> {
  const facts = await phase(run, 'inspect', () => orCancelled(run.cancel, () => run.agent.facts()));
  const { master, ours } = facts;
  run.result.state = stateOf(facts);
  if (master !== null && ours.upgrade === null) {
    const version = parseBuildInfo(master.build).version || null;
    Object.assign(run.result, { previousVersion: version, version, oldMaster: master.process });
    Object.assign(run.result, { previousSha256: master.sha256, sha256: master.sha256 });
  }
  if (ours.broken !== null && !['status', 'build'].includes(run.config.command))
    throw new Refused([brokenFinding(booksMessage(ours))]);
  return facts;
}

export function booksMessage({ directory, broken }: Facts['ours']): string {
  return `the books of an upgrade under way in ${directory} cannot be read: ${broken ?? ''}`;
}

export function stateOf({ master, whyNot, ours: { upgrade, broken } }: Facts): TargetState | null {
  if (broken !== null) return 'broken';
  if (upgrade !== null) return upgrade.phase === 'held' ? 'held' : 'upgrading';
  // One that runs and is not ours to touch is not broken.
  if (master === null) return whyNot === 'not-running' ? 'broken' : null;
  return master.predecessor === null ? 'idle' : 'draining';
}

export function rulesOf({ config }: Pick<HostRun, 'config'>): Rules {
  return { allow: config.switch.allow, allowDowngrade: config.switch.allowDowngrade };
}

/** Every check that can be made before anything is sent; throws Refused with all that refuses. */
export function preflight(run: HostRun, facts: Facts): Inspected {
  const rules = rulesOf(run);
  const file = run.binary === undefined ? [] : [judgeCandidate(run.binary, facts, rules)];
  settle(run, joined(judgeHost(facts, rules), ...file));
  const { master } = facts;
  if (master === null)
    throw new Refused([{ code: 'not-running', message: 'no nginx master was found', fix: 'Start it.' }]);
  return { ...run, facts: { ...facts, master } };
}

/** Throws what refuses this host whatever the new binary is, before that costs anything. */
export function refuseEarly(run: HostRun, facts: Facts): void {
  const { refusals } = judgeHost(facts, rulesOf(run));
  if (refusals.length > 0) throw new Refused(refusals);
}

/** Notes the warnings and throws the refusals. */
export function settle(run: Pick<HostRun, 'result'>, judgement: Judgement): void {
  run.result.warnings.push(...judgement.warnings);
  if (judgement.refusals.length > 0) throw new Refused(judgement.refusals);
}
