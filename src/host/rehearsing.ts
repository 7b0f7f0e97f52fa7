import { fieldsOf } from '../target/answer.ts';
import { type BuildInfo, parseBuildInfo } from '../nginx/build-info.ts';
import type { Finding } from '../report/result.ts';
import { poisonedNote } from './closing.ts';
import { orCancelled } from './cancellation.ts';
import { mustSucceed } from './errors.ts';
import type { Inspected } from './host-run.ts';
import { rulesOf, settle } from './inspect.ts';
import { lostFeatures } from './preflight/build-checks.ts';
import { testFailed } from './preflight/config-test.ts';
import { judgeFinding } from './preflight/preflight.ts';

/** How the stub ends where the new modules cannot be put at their paths for it alone. `nginx -t` ends with 0 or 1. */
const NO_ROOM = 125;

/**
 * The running master executes a stub, which runs the staged binary's `-t` under the master's own conditions. No worker
 * notices; the pid file has its other name meanwhile. Throws Refused, with everything as it was.
 */
export async function rehearse(run: Inspected, build: BuildInfo): Promise<void> {
  const fields = { nonce: run.agent.nonce() };
  // Twice where the master has to be healed, and the time in which what hangs is ended.
  const waits = run.config.switch.readyTimeout * 2 + 15_000;
  const asked = orCancelled(run.cancel, () => run.agent.ask('rehearse', { fields, waits }));
  const answer = mustSucceed(await asked, run.result);
  const read = fieldsOf(answer.fields, 'rehearse');
  const exit = read.numberOrNull('exit');
  if (read.flag('poisoned')) run.result.notes.push(poisonedNote(run.facts.master.process.pid));
  if (exit === null) settle(run, judgeFinding(notExecuted(run), rulesOf(run)));
  else if (exit === NO_ROOM) {
    run.result.notes.push(
      'Not rehearsed: the master can have no mount namespace in which the new modules lie at their paths.',
    );
  } else if (exit !== 0) {
    noteLeft(run, read.lines('left'));
    settleTest(run, { build, lines: read.lines('said') });
  } else
    run.result.notes.push('Rehearsed: the running master can execute the new binary, which accepts the configuration.');
}

/** What a test made and is not empty; an upgrade that goes on needs no word of it, since the new master makes the same. */
export function noteLeft(run: Inspected, paths: string[]): void {
  if (paths.length === 0) return;
  run.result.notes.push(
    `\`nginx -t\` made what was not there before and was not removed again, since it was written to or others lead there: ${paths.join(', ')}.`,
  );
}

/** Refuses for what `nginx -t` of the new binary said on the target. */
export function settleTest(run: Inspected, { build, lines }: { build: BuildInfo; lines: string[] }): void {
  const lost = lostFeatures(parseBuildInfo(run.facts.master.build).arguments, build.arguments).length > 0;
  settle(run, judgeFinding(testFailed(lines, { lost }), rulesOf(run)));
}

function notExecuted({ facts: { master }, result }: Inspected): Finding {
  const said = result.evidence?.errorLog.at(-1)?.slice(0, 300) ?? 'its error log says nothing';
  return {
    code: 'rehearsal-failed',
    message: `the running master ${master.process.pid} could not execute a script at ${master.path}, or it did not end in time: ${said}`,
    fix: 'Remove what hinders it, as it would hinder the new binary; where that is only a policy against scripts, leave `rehearse` out.',
  };
}
