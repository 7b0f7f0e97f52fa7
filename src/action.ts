import { userInfo } from 'node:os';
import * as core from '@actions/core';
import type { NewBinary } from './binary/new-binary.ts';
import { cancelOnSignals } from './cancel.ts';
import { InputError, messageOf } from './errors.ts';
import { readActionInputs } from './inputs/from-action.ts';
import { parseInputs } from './inputs/parse.ts';
import { secretsOf } from './inputs/secrets.ts';
import { printArgs } from './nginx/configure-args.ts';
import { createActionLogger } from './report/action-logger.ts';
import { annotations } from './report/annotations.ts';
import { consoleVerdict } from './report/console-verdict.ts';
import { writeReport } from './report/file.ts';
import { createMask, maskAll } from './report/mask.ts';
import { outputs } from './report/outputs.ts';
import type { HostResult } from './report/result.ts';
import { summary } from './report/summary.ts';
import { run } from './run.ts';

async function main(variables: NodeJS.ProcessEnv): Promise<void> {
  const { raw, othersMayBeThere } = readActionInputs(variables);
  const secrets = secretsOf(raw);
  for (const secret of secrets) core.setSecret(secret);
  const mask = createMask(secrets);
  const log = createActionLogger({ mask });
  const environment = { user: userInfo().username, sshAuthSock: variables['SSH_AUTH_SOCK'], othersMayBeThere };
  const { config, warnings } = await parseInputs(raw, environment);
  for (const { input, message } of warnings) core.warning(message, { title: input });
  core.saveState('targets', config.targets.map(({ name }) => name).join(', '));
  const { report, binary } = await run({ config, log, cancel: cancelOnSignals() });
  const masked = maskAll(report, mask);
  core.saveState('pending', String(report.hosts.some(isPending)));
  core.saveState('ended', report.outcome);
  const reportPath = await writeReport(masked).catch((error: unknown) => {
    core.warning(`The full report could not be written: ${messageOf(error)}`);
  });
  const extras = {
    asked: { command: config.command, autoCommit: config.switch.autoCommit },
    ...(reportPath ? { reportPath } : {}),
    ...(binary === undefined ? {} : { binary: describe(binary) }),
  };
  for (const [name, value] of Object.entries(outputs(masked, extras))) core.setOutput(name, value);
  for (const line of consoleVerdict(masked)) log.info(line);
  for (const { title, message } of annotations(masked)) core.error(message, { title });
  const watchedMs = config.switch.canaryTime + config.switch.bakeTime;
  await summarize(summary(masked, { watchedMs, ...(reportPath ? { reportPath } : {}) }));
  process.exitCode = report.ok ? 0 : 1;
}

/** Something is left for a guard or a person to end; the post step looks at it once more. */
function isPending({ state, outcome }: HostResult): boolean {
  return state === null ? outcome === 'failed' : state !== 'idle';
}

/** The verdict stands whether or not the page can be written. */
async function summarize(markdown: string): Promise<void> {
  if (!process.env['GITHUB_STEP_SUMMARY']) return;
  await core.summary
    .addRaw(markdown)
    .write()
    .catch((error: unknown) => core.warning(`The summary could not be written: ${messageOf(error)}`));
}

function describe({ path, sha256, build }: NewBinary) {
  return { path, sha256, version: build.version, configureArgs: printArgs(build.arguments) };
}

function explain(error: unknown): void {
  if (error instanceof InputError) {
    for (const { input, message } of error.problems) core.error(message, { title: `Input ${input}` });
    core.info('Nothing was done.');
  } else core.error(messageOf(error));
  process.exitCode = 1;
}

void main(process.env)
  .catch(explain)
  .finally(() => process.exit());
