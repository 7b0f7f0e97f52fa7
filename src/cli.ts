#!/usr/bin/env node
import { userInfo } from 'node:os';
import { cancelOnSignals } from './cancel.ts';
import { InputError, messageOf } from './errors.ts';
import { readCommandLine } from './inputs/from-cli.ts';
import { parseInputs } from './inputs/parse.ts';
import { consoleVerdict } from './report/console-verdict.ts';
import { createConsoleLogger } from './report/console-logger.ts';
import { writeReport } from './report/file.ts';
import { createMask, maskAll } from './report/mask.ts';
import { run } from './run.ts';
import { helperText } from './target/helper-text.ts';
import { HELP, VERSION } from './usage.ts';

async function main(argv: string[], variables: NodeJS.ProcessEnv): Promise<number> {
  const asked = readCommandLine(argv, { variables });
  if (asked.kind === 'help') return say(HELP);
  if (asked.kind === 'version') return say(VERSION);
  if (asked.kind === 'helper') return say(helperText());
  const environment = { user: userInfo().username, sshAuthSock: variables['SSH_AUTH_SOCK'], problems: asked.problems };
  const { config, warnings, secrets } = await parseInputs(asked.raw, environment);
  const mask = createMask(secrets);
  const log = createConsoleLogger({ mask });
  for (const { input, message } of warnings) log.warning(`${input}: ${message}`);
  const cancel = cancelOnSignals();
  const { report } = await run({ config, log, cancel });
  const masked = maskAll(report, mask);
  const path = await writeReport(masked);
  for (const line of [...consoleVerdict(masked), `report: ${path}`]) log.info(line);
  return report.ok ? 0 : 1;
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function explain(error: unknown): number {
  const problems = error instanceof InputError ? error.problems : [];
  if (problems.length === 0) process.stderr.write(`nginx-hot-upgrade: ${messageOf(error)}\n`);
  for (const { input, message } of problems) process.stderr.write(`--${input}: ${message}\n`);
  if (problems.length > 0) process.stderr.write('Nothing was done.\n');
  return 1;
}

void main(process.argv.slice(2), process.env)
  .catch(explain)
  .then((code) => {
    // A pipe takes what is written to it bit by bit: what was said is out before the end, or nobody has read it for ten seconds.
    process.stdout.write('', () => process.exit(code));
    setTimeout(() => process.exit(code), 10_000);
  });
