import { commit } from './closing.ts';
import { lockedFinding, mustSucceed } from './errors.ts';
import { Refused } from '../errors.ts';
import { type HostRun, phase } from './host-run.ts';
import { inspect } from './inspect.ts';
import { settleAttribution, startMeasuring, stopMeasuring } from './probing.ts';
import { retreat } from './retreat.ts';
import { bake } from './switching.ts';
import { heldProbing, heldSides } from './upgrade.ts';

/** Ends a held upgrade for good, after the new generation was looked at (and probed) once more. */
export async function commitHost(run: HostRun): Promise<void> {
  const facts = await inspect(run);
  const { upgrade, lockAlive } = facts.ours;
  if (upgrade === null) {
    run.result.outcome = 'unchanged';
    run.result.notes.push('There is no held upgrade to commit.');
    return;
  }
  const finishing = upgrade.decision === 'commit' && !lockAlive;
  if (upgrade.phase !== 'held' && !finishing) {
    throw new Refused([lockedFinding(`${upgrade.who}, ${upgrade.run}, phase ${upgrade.phase}`)]);
  }
  if (!finishing) await settleAttribution(run, facts.master);
  const sides = heldSides(upgrade);
  Object.assign(run.result, { oldMaster: upgrade.oldMaster, newMaster: upgrade.newMaster });
  const fields = { nonce: upgrade.nonce, ...(finishing ? { decide: 'commit' } : {}) };
  await phase(run, 'preflight', async () => mustSucceed(await run.agent.ask('adopt', { fields }), run.result));
  const probing = finishing ? null : heldProbing(run);
  try {
    startMeasuring(probing);
    // The bake was over when the upgrade was held: so many good answers are enough.
    await bake({ ...run, config: { ...run.config, switch: { ...run.config.switch, bakeTime: 0 } } }, probing);
    await commit(run, sides);
    run.result.outcome = 'upgraded';
  } catch (cause) {
    await retreat(run, { cause, sides });
  } finally {
    await stopMeasuring(run, probing);
  }
}
