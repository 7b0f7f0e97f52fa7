import type { Facts } from '../target/facts.ts';
import { parseBuildInfo } from '../nginx/build-info.ts';
import type { HostRun } from './host-run.ts';
import { brokenFinding } from './errors.ts';
import { booksMessage, inspect } from './inspect.ts';

/** Reads the state of one target and changes nothing. */
export async function statusOf(run: HostRun): Promise<void> {
  const facts = await inspect(run);
  const { upgrade } = facts.ours;
  if (upgrade !== null) {
    const deadline = new Date(Date.now() + upgrade.deadlineIn).toISOString();
    Object.assign(run.result, { oldMaster: upgrade.oldMaster, newMaster: upgrade.newMaster });
    const servesNew = upgrade.newLives && upgrade.parked && upgrade.phase !== 'undoing';
    const [version, sha256] = servesNew
      ? [upgrade.newVersion, upgrade.newSha256]
      : [upgrade.oldVersion, upgrade.oldSha256];
    Object.assign(run.result, { version, sha256 });
    Object.assign(run.result, { previousVersion: upgrade.oldVersion, previousSha256: upgrade.oldSha256 });
    if (upgrade.guardLives) run.result.guard = { deadline, kind: upgrade.guardKind };
  }
  run.result.notes.push(...describe(facts));
  run.result.outcome = 'reported';
}

function describe({ master, masters, ours }: Facts): string[] {
  const lines: string[] = [];
  if (master === null) lines.push(`No single master was found. Seen: ${masters || 'none'}`);
  else {
    const workers = master.children.filter(({ accepting }) => accepting).length;
    const draining = master.children.filter(({ role }) => role === 'leaving').length;
    const { version } = parseBuildInfo(master.build);
    const from = master.pathInode === master.exeInode ? master.path : master.exe;
    lines.push(`Master ${master.process.pid} runs ${version} (${master.sha256}) from ${from}`);
    lines.push(`${workers} of its workers accept on ${master.listeners.length} listeners, ${draining} are draining`);
    const second = master.children.find(({ role }) => role === 'master');
    if (second !== undefined)
      lines.push(`A second master, ${second.process.pid}, runs beside it: an upgrade was begun and not ended`);
    if (master.predecessor !== null) {
      const { process, workers: left } = master.predecessor;
      lines.push(`Its predecessor ${process.pid} still drains ${left} workers`);
    }
  }
  const { upgrade } = ours;
  if (ours.broken !== null) {
    const { message, fix } = brokenFinding(booksMessage(ours));
    lines.push(`${message}. ${fix}`);
  }
  if (upgrade !== null) {
    lines.push(
      `Upgrade ${upgrade.oldVersion} to ${upgrade.newVersion} by ${upgrade.who} (${upgrade.run}), phase ${upgrade.phase}`,
    );
    const left = Math.max(0, Math.round(upgrade.deadlineIn / 1000));
    lines.push(
      upgrade.guardLives ? `Its guard rolls back in ${left} s` : 'No guard watches it: run `rollback` or `commit`',
    );
  }
  if (ours.previous !== null)
    lines.push(`\`rollback\` would go back to ${ours.previous.get('version')} (${ours.previous.get('sha')})`);
  lines.push(`Retained binaries: ${ours.retained.join(', ') || 'none'}`);
  return lines;
}
