import { Refused } from '../errors.ts';
import type { MasterFacts, UpgradeFacts } from '../target/facts.ts';
import { type BuildInfo, parseBuildInfo } from '../nginx/build-info.ts';
import { commit, hold, type Sides } from './closing.ts';
import { lockedFinding, mustSucceed } from './errors.ts';
import { type HostRun, type Inspected, phase } from './host-run.ts';
import { inspect, refuseEarly } from './inspect.ts';
import { judgeHostAndFile } from './judging.ts';
import { obtain } from './obtaining.ts';
import {
  type Probing,
  probesOf,
  settleAttribution,
  slowDown,
  startMeasuring,
  stopMeasuring,
  judgeBaseline,
  startBaseline,
} from './probing.ts';
import { isLeftOpen, reasonOf, retreat } from './retreat.ts';
import { recover } from './recovery.ts';
import { type Staged, stage } from './staging.ts';
import { begin, bake, canary, retire } from './switching.ts';

/** One host: from the old binary to the new one, or back. */
export async function upgradeHost(run: HostRun): Promise<void> {
  const early = startBaseline(run);
  const facts = await recover(run, await inspect(run));
  if (run.supply?.costly === true && facts.ours.upgrade === null) refuseEarly(run, facts);
  const binary = await obtain(run, facts.master);
  const { upgrade } = facts.ours;
  if (upgrade !== null) return goOn(run, { upgrade, master: facts.master, sha256: binary.sha256 });
  const inspected = await judgeHostAndFile({ ...run, binary }, { facts, early });
  if (inspected.facts.master.sha256 === binary.sha256) {
    run.result.outcome = 'unchanged';
    return;
  }
  const probing = await judgeBaseline(inspected, early);
  const file: Staged = { kind: 'upgrade', sha256: binary.sha256, build: binary.build };
  const done = await switchTo(inspected, { file, probing });
  if (done === 'committed') run.result.outcome = 'upgraded';
}

/** The switch itself, for a new binary as for a retained one. Where it fails, the result says so and what is true now. */
export async function switchTo(
  run: Inspected,
  { file, probing }: { file: Staged; probing: Probing | null },
): Promise<'committed' | 'held' | 'failed'> {
  const sides = sidesOf(run, { file, build: file.build });
  let begun = false;
  try {
    const build = await stage(run, file);
    begun = true;
    sides.new.version = build.version;
    startMeasuring(probing);
    const retiring = await begin(run);
    await canary(run);
    await retire(run, retiring);
    slowDown(run, probing);
    await bake(run, probing);
    return await conclude(run, { file, sides });
  } catch (cause) {
    // What failed before the switch removed what it had staged; only what the guard has to end is left to it.
    if (cause instanceof Refused) throw cause;
    if (!begun && !isLeftOpen(cause)) {
      Object.assign(run.result, { outcome: 'failed', reason: reasonOf(cause) });
      return 'failed';
    }
    await retreat(run, { cause, sides });
    return 'failed';
  } finally {
    await stopMeasuring(run, probing);
  }
}

async function conclude(run: HostRun, { file, sides }: { file: Staged; sides: Sides }): Promise<'committed' | 'held'> {
  if (!run.config.switch.autoCommit && file.kind === 'upgrade') {
    await hold(run, sides);
    return 'held';
  }
  await commit(run, sides);
  return 'committed';
}

interface Held {
  upgrade: UpgradeFacts;
  master: MasterFacts | null;
  /** Of the binary that this run brings. */
  sha256: string;
}

/** An upgrade to the same binary is held there: it goes on from the bake; one to another binary must be ended first. */
async function goOn(run: HostRun, held: Held): Promise<void> {
  const { upgrade } = held;
  if (upgrade.phase !== 'held')
    throw new Refused([lockedFinding(`${upgrade.who}, ${upgrade.run}, phase ${upgrade.phase}`)]);
  if (upgrade.newSha256 !== held.sha256) throw new Refused([otherIsHeld(upgrade)]);
  await settleAttribution(run, held.master);
  const sides = heldSides(upgrade);
  await phase(run, 'preflight', async () => {
    mustSucceed(await run.agent.ask('adopt', { fields: { nonce: upgrade.nonce } }), run.result);
  });
  run.result.oldMaster = upgrade.oldMaster;
  run.result.newMaster = upgrade.newMaster;
  const probing = heldProbing(run);
  try {
    startMeasuring(probing);
    slowDown(run, probing);
    await bake(run, probing);
    if (run.config.switch.autoCommit) {
      await commit(run, sides);
      run.result.outcome = 'upgraded';
    } else await hold(run, sides);
  } catch (cause) {
    await retreat(run, { cause, sides });
  } finally {
    await stopMeasuring(run, probing);
  }
}

export function heldProbing(run: HostRun): Probing | null {
  const probes = probesOf(run);
  return probes === null ? null : { probes, baselineP99Ms: null, stream: undefined };
}

export function heldSides(upgrade: UpgradeFacts): Sides {
  return {
    old: { version: upgrade.oldVersion, sha256: upgrade.oldSha256 },
    new: { version: upgrade.newVersion, sha256: upgrade.newSha256 },
  };
}

function sidesOf(run: Inspected, { file, build }: { file: Staged; build: BuildInfo }): Sides {
  const { master } = run.facts;
  return {
    old: { version: parseBuildInfo(master.build).version, sha256: master.sha256 },
    new: { version: build.version, sha256: file.sha256 },
  };
}

export function otherIsHeld(upgrade: UpgradeFacts) {
  return {
    code: 'upgrade-in-progress',
    message: `an upgrade to another binary (${upgrade.newVersion}, ${upgrade.newSha256}) is held on this host by ${upgrade.who} (${upgrade.run})`,
    fix: 'End it first with the command `commit` or `rollback`.',
  };
}
