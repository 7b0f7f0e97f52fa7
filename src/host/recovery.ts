import type { Facts, UpgradeFacts } from '../target/facts.ts';
import { inspect } from './inspect.ts';
import { type HostRun, phase } from './host-run.ts';

/**
 * The first step of every run that changes something: what a run left half done, with nobody at work on it any more, is
 * brought to its end. A decision that stands is carried out; without one the old version serves again.
 * Returns the facts as they are then; a live or held upgrade stays as it is.
 */
export async function recover(run: HostRun, facts: Facts): Promise<Facts> {
  const { upgrade, lockAlive } = facts.ours;
  // Whose it is, nobody can tell where several masters run and none was named.
  if (upgrade === null || facts.whyNot === 'ambiguous-master') return facts;
  if (!isAbandoned(upgrade, lockAlive)) return facts;
  run.result.notes.push(
    `An unfinished upgrade (${upgrade.run}, phase ${upgrade.phase}) was found and brought to its end.`,
  );
  await phase(run, 'rollback', async () => {
    const adopted = await run.agent.ask('adopt', {
      fields: { nonce: upgrade.nonce, decide: upgrade.decision || 'rollback', why: 'abandoned' },
    });
    if (!adopted.ok) return;
    const waits = run.config.switch.drainTimeout * 2 + 60_000;
    if (upgrade.decision === 'commit') await run.agent.ask('commit', { waits });
    else await run.agent.ask('rollback', { fields: { why: 'abandoned' }, waits });
  });
  return inspect(run);
}

/** Nobody acts: the host was restarted, or neither guard nor helper lives. One that is held waits, even without a guard. */
function isAbandoned(upgrade: UpgradeFacts, lockAlive: boolean): boolean {
  if (!upgrade.sameBoot) return true;
  return !lockAlive && (upgrade.phase !== 'held' || upgrade.decision !== '');
}
