import { parseBuildInfo } from '../nginx/build-info.ts';
import { Refused } from '../errors.ts';
import type { NewBinary } from '../binary/new-binary.ts';
import type { Facts } from '../target/facts.ts';
import { type HostRun, type Inspected, phase } from './host-run.ts';
import { inspect, refuseEarly } from './inspect.ts';
import { judgeHostAndFile } from './judging.ts';
import { lockedFinding } from './errors.ts';
import { judgeBaseline, startBaseline } from './probing.ts';
import { stage, unstage } from './staging.ts';
import { otherIsHeld } from './upgrade.ts';

/** What `upgrade` would do here. Leaves nothing on the target. */
export async function planHost(run: HostRun): Promise<void> {
  const early = startBaseline(run);
  const facts = await inspect(run);
  const { upgrade } = facts.ours;
  if (upgrade?.phase === 'held') throw new Refused([otherIsHeld(upgrade)]);
  if (upgrade !== null) throw new Refused([lockedFinding(`${upgrade.who}, ${upgrade.run}, phase ${upgrade.phase}`)]);
  const binary = await atHand(run, facts);
  const inspected = await judgeHostAndFile({ ...run, binary }, { facts, early });
  await judgeBaseline(inspected, early);
  run.result.outcome = 'planned';
  if (binary === undefined) {
    run.result.notes.push('Not judged without a binary: config-test-failed, module-signature, missing-library.');
    run.result.notes.push(...steps(inspected, 'the new version'));
    return;
  }
  if (inspected.facts.master.sha256 === binary.sha256) {
    run.result.notes.push('The target runs this very binary already: nothing would be done (`unchanged`).');
    return;
  }
  const build = await stage(inspected, { kind: 'plan', sha256: binary.sha256, build: binary.build });
  await unstage(inspected);
  run.result.notes.push(...steps(inspected, build.version));
}

/** A plan builds nothing: what was built before serves to judge. */
async function atHand(run: HostRun, facts: Facts): Promise<NewBinary | undefined> {
  const { supply } = run;
  if (supply === undefined) return undefined;
  if (supply.costly) refuseEarly(run, facts);
  return phase(run, 'obtain', () => supply.atHand(facts.master));
}

const GUARDS: Record<string, string> = {
  systemd: 'a transient systemd service',
  'systemd-user': 'a transient service of the user’s systemd',
};

function steps({ facts: { master, guardKind }, config }: Inspected, version: string): string[] {
  const old = master.process.pid;
  const { switch: times } = config;
  const rehearsal = times.rehearse ? `let ${old} execute a stub with \`-t\` (a plan sends no signal), ` : '';
  const guard = GUARDS[guardKind] ?? 'a detached process';
  return [
    `Would replace ${parseBuildInfo(master.build).version} by ${version} at ${master.path}`,
    `Guard: ${guard}, ${times.confirmTimeout / 1000} s without a sign of life and it rolls back`,
    `1. stage the file in a directory beside ${master.path}, ${rehearsal}swap it in, USR2 to ${old}, put the old file back`,
    `2. wait until the new workers accept on all ${master.listeners.length} listeners${times.canaryTime > 0 ? `, watch both for ${times.canaryTime / 1000} s` : ''}`,
    `3. WINCH to ${old}, wait until no old worker accepts`,
    `4. bake for ${times.bakeTime / 1000} s`,
    times.autoCommit ? `5. install the file and send QUIT to ${old}` : `5. hold: ${old} stays parked until \`commit\``,
    `If anything fails before 5: HUP to ${old} where none of its workers accepts, QUIT to the new master`,
  ];
}
