import { ClosedMeanwhile } from '../target/agent.ts';
import { fieldsOf } from '../target/answer.ts';
import { closedAs, rollBack, type Sides, succeededOrClosed } from './closing.ts';
import { Refused } from '../errors.ts';
import { type HostRun, phase } from './host-run.ts';
import { inspect, preflight } from './inspect.ts';
import { PREFLIGHT_CODES } from './preflight/codes.ts';
import { judgeBaseline, startBaseline } from './probing.ts';
import { recover } from './recovery.ts';
import { heldSides, switchTo } from './upgrade.ts';

/** Whatever the state: an unfinished upgrade is undone at once, a committed one by a hot upgrade to the previous binary. */
export async function rollbackHost(run: HostRun): Promise<void> {
  let facts = await inspect(run);
  const { upgrade } = facts.ours;
  if (upgrade !== null && upgrade.decision !== 'commit') {
    const sides = heldSides(upgrade);
    Object.assign(run.result, { oldMaster: upgrade.oldMaster, newMaster: upgrade.newMaster });
    await rollBackOrClosed(run, { nonce: upgrade.nonce, sides });
    if (run.result.outcome === 'rolled-back') {
      Object.assign(run.result, { previousVersion: sides.new.version || null, previousSha256: sides.new.sha256 });
    }
    // Staged and never begun: the old version never stopped serving, and that was asked for.
    if (run.result.outcome === 'failed' && run.result.reason === null) run.result.outcome = 'rolled-back';
    return;
  }
  facts = await recover(run, facts);
  await goBackToPrevious({ ...run, binary: undefined }, facts);
}

/** Where the answer was lost on the way, or the guard carried out first what was decided, the target still went back as it was asked to. */
async function rollBackOrClosed(run: HostRun, { nonce, sides }: { nonce: string; sides: Sides }): Promise<void> {
  const fields = { nonce, decide: 'rollback', why: 'asked' };
  try {
    const adopted = await phase(run, 'preflight', () => run.agent.ask('adopt', { fields }));
    if (adopted.reason === 'rebooted') {
      closedBefore(run, { outcome: fieldsOf(adopted.fields, 'adopt').text('outcome'), why: 'reboot', sides });
      return;
    }
    succeededOrClosed(adopted, run);
    await rollBack(run, { why: 'asked', sides });
  } catch (error) {
    if (!(error instanceof ClosedMeanwhile)) throw error;
    closedBefore(run, { outcome: error.outcome, why: error.why, sides });
  }
}

async function goBackToPrevious(run: HostRun, facts: Parameters<typeof preflight>[1]): Promise<void> {
  const { previous, retained } = facts.ours;
  const sha256 = previous?.get('sha') ?? '';
  const undone = previous === null || facts.master?.sha256 !== previous.get('replaced_by');
  if (undone && facts.master !== null) {
    run.result.outcome = 'unchanged';
    run.result.notes.push(
      'There is nothing to undo: the running binary did not come from an upgrade that could be taken back.',
    );
    return;
  }
  const inspected = preflight(goingBack(run), facts);
  if (!retained.includes(sha256)) throw new Refused([gone(sha256)]);
  const build = { flavour: '', version: '', arguments: [] };
  const probing = await judgeBaseline(inspected, startBaseline(run));
  const done = await switchTo(inspected, { file: { kind: 'reverse', sha256, build }, probing });
  // A commit whose answer was lost is one as well.
  if (done === 'committed' || run.result.outcome === 'upgraded') run.result.outcome = 'rolled-back';
  else if (run.result.outcome === 'rolled-back') run.result.outcome = 'failed';
}

/** Going back is the point of the command: an older version, red health, whatever can be survived is no reason to refuse it. */
function goingBack(run: HostRun): HostRun {
  const survivable = [...PREFLIGHT_CODES].flatMap(([code, severity]) => (severity === 'survivable' ? [code] : []));
  const accepting = { ...run.config.switch, allowDowngrade: true, allow: new Set(survivable) };
  return { ...run, config: { ...run.config, switch: accepting } };
}

/** That may have been the rollback itself; where the new version was installed already, it is what serves. */
function closedBefore(run: HostRun, closed: { outcome: string; why: string; sides: Sides }): void {
  closedAs(run, closed);
  if (closed.outcome !== 'committed') return;
  run.result.outcome = 'failed';
  const how = closed.why === 'reboot' ? 'the host was restarted' : 'the upgrade was closed meanwhile';
  run.result.reason = {
    code: 'changed-by-others',
    message: `${how} with the new version installed; run \`rollback\` again to go back to the old one`,
  };
}

function gone(sha256: string) {
  return {
    code: 'not-retained',
    message: `the previous binary (${sha256}) is not retained on the target any more`,
    fix: 'Upgrade to it with `binary` and `allow-downgrade: true`.',
  };
}
