import type { NewBinary } from './binary/new-binary.ts';
import type { Command, Config, Millis, Target } from './config.ts';
import { orCancelled } from './host/cancellation.ts';
import { Cancelled } from './host/errors.ts';
import { Refused } from './errors.ts';
import { buildFor, built } from './host/build.ts';
import { reasonOf } from './host/retreat.ts';
import { commitHost } from './host/commit.ts';
import { emptyResult, type HostRun, phase } from './host/host-run.ts';
import { planHost } from './host/plan.ts';
import { NOTICES } from './host/preflight/codes.ts';
import { rollbackHost } from './host/rollback.ts';
import { whoAmI } from './host/staging.ts';
import { probeToLookFor } from './health/attribution.ts';
import { warmUpProbes } from './health/probes.ts';
import { statusOf } from './host/status.ts';
import { upgradeHost } from './host/upgrade.ts';
import { obtainAhead } from './obtain/ahead.ts';
import { openSupply, type Supply } from './obtain/supply.ts';
import type { Logger } from './report/logger.ts';
import { judge } from './report/outcome.ts';
import type { HostResult, RunReport } from './report/result.ts';
import { type Agent, openAgent } from './target/agent.ts';
import { HelperRefused } from './target/helper-refused.ts';

export interface RunOptions {
  config: Config;
  log: Logger;
  /** Aborted when the run is to end at once; targets are then left to their guards. */
  cancel: AbortSignal;
}

type Recipe = (run: HostRun) => Promise<void>;

const RECIPES: Record<Command, Recipe> = {
  build: buildFor,
  upgrade: upgradeHost,
  rollback: rollbackHost,
  commit: commitHost,
  status: statusOf,
  plan: planHost,
};

/** The whole run: obtain, then host by host. Never rejects for what happened on a target. */
export async function run({ config, log, cancel }: RunOptions): Promise<{ report: RunReport; binary?: NewBinary }> {
  const startedAt = new Date().toISOString();
  const start = performance.now();
  const supply = config.binary === undefined ? undefined : openSupply(config.binary, { log });
  const options = { config, log, cancel, supply };
  const missing = await obtainAhead(options);
  const hosts: HostResult[] = [];
  for (const target of hostsOf(config)) {
    const stop = cancel.aborted || (config.command === 'upgrade' && !hosts.every(isFine));
    const lacking = missing.has(target.name);
    const skip = stop || (missing.size > 0 && !lacking && config.command === 'upgrade');
    const result = skip ? skipped(target) : emptyResult(target);
    hosts.push(result);
    if (lacking && !skip) conclude(result, missing.get(target.name));
    if (lacking || skip) continue;
    if (config.targets.length === 0) {
      built(result, supply?.latest());
      tell(result, log);
    } else {
      await log.group(target.name, () => orGivenUp(oneHost(target, { ...options, result }), { cancel, result }));
    }
  }
  const verdict = judge(hosts, { command: config.command, autoCommit: config.switch.autoCommit });
  const durationMs = Math.round(performance.now() - start);
  const instance = config.pidFile === undefined ? {} : { pidFile: config.pidFile };
  const report: RunReport = { command: config.command, ...verdict, startedAt, durationMs, ...instance, hosts };
  const used = supply?.latest();
  return { report, ...(used === undefined ? {} : { binary: used }) };
}

/** To build without a target is done for this very machine. */
function hostsOf({ command, targets }: Config): Target[] {
  return command === 'build' && targets.length === 0 ? [{ kind: 'local', name: 'local' }] : targets;
}

interface HostOptions extends RunOptions {
  supply: Supply | undefined;
  result: HostResult;
}

/** A cancelled run has to be gone before the runner kills it; it then reports what it knows. */
const GIVE_UP_AFTER: Millis = 5_300;

async function orGivenUp(
  work: Promise<void>,
  { cancel, result }: { cancel: AbortSignal; result: HostResult },
): Promise<void> {
  const late = new Promise<void>((resolve) => {
    const wait = (): void => void setTimeout(resolve, GIVE_UP_AFTER).unref();
    if (cancel.aborted) wait();
    else cancel.addEventListener('abort', wait, { once: true });
  });
  const gaveUp = await Promise.race([work.then(() => false), late.then(() => true)]);
  if (!gaveUp) return;
  Object.assign(result, { outcome: 'failed', state: null });
  result.reason = { code: 'cancelled', message: `the run was cancelled (${String(cancel.reason)})` };
  result.notes.push(
    'The target had not answered when the run had to end: its guard ends what was begun; run `status` to see.',
  );
}

async function oneHost(target: Target, options: HostOptions): Promise<void> {
  const { config, log, cancel, result } = options;
  let agent: Agent | undefined;
  try {
    // Reading a file and loading the HTTP client cost nothing while the login is waited for.
    const whileWaiting = () => {
      options.supply?.warmUp();
      void warmUpProbes(config.health, target);
    };
    const opening = openAgent(target, {
      config,
      identity: whoAmI(),
      probe: probeToLookFor(config.health, target),
      cancel,
      log: (message) => log.info(message),
      whileWaiting,
    });
    agent = await phase({ result, log }, 'connect', () => orCancelled(cancel, () => opening));
    await RECIPES[config.command]({
      config,
      target,
      log,
      result,
      agent,
      supply: options.supply,
      binary: undefined,
      cancel,
    });
  } catch (error) {
    conclude(result, error);
  } finally {
    agent?.close();
  }
  tell(result, log);
}

function tell({ warnings, refusals, notes }: HostResult, log: Logger): void {
  for (const { code, message, fix } of warnings) {
    // True of nearly every busy server: worth a line, not an annotation.
    if (NOTICES.has(code)) log.info(`${code}: ${message}. ${fix}`);
    else log.warning(`${code}: ${message}. ${fix}`);
  }
  for (const { code, message, fix } of refusals) log.info(`refused, ${code}: ${message}. ${fix}`);
  for (const note of notes) log.info(note);
}

/** Errors that end here were thrown before anything was changed on the target. */
function conclude(result: HostResult, error: unknown): void {
  const findings = findingsOf(error);
  if (findings === undefined) {
    result.outcome = 'failed';
    result.reason ??= reasonOf(error);
    if (error instanceof Cancelled) result.notes.push('Nothing was changed on the target.');
    return;
  }
  result.outcome = 'refused';
  result.refusals.push(...findings);
  const codes = findings.map(({ code }) => code).join(', ');
  result.reason = { code: 'refused', message: `preflight refused: ${codes}; nothing was touched` };
}

function findingsOf(error: unknown): HostResult['refusals'] | undefined {
  if (error instanceof Refused) return error.findings;
  if (!(error instanceof HelperRefused)) return undefined;
  const sudo = error.code === 'sudo-denied';
  return [
    {
      code: error.code,
      message: sudo ? `the login may not become root without a password: ${error.message}` : error.message,
      fix: sudo
        ? 'Allow it in sudoers (NOPASSWD), log in as root, or set `sudo` empty where the master is the login’s own.'
        : 'Give the login a POSIX shell that runs the command it is given: the helper is run by `/bin/sh -c`. Look for `exec` ' +
          'in a start file (~/.bashrc, ~/.zshenv, config.fish: guard it by a test for an interactive shell), for a forced ' +
          'command (ForceCommand in sshd_config, command= in authorized_keys), and at the shell of the login in passwd.',
    },
  ];
}

/** Held with a reason is a failure kept for inspection: the next host must not get the same. */
function isFine({ outcome, reason }: HostResult): boolean {
  return outcome === 'upgraded' || outcome === 'unchanged' || (outcome === 'held' && reason === null);
}

function skipped(target: Target): HostResult {
  return { ...emptyResult(target), outcome: 'skipped', notes: ['Not started: the rollout had stopped.'] };
}
