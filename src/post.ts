import { userInfo } from 'node:os';
import * as core from '@actions/core';
import { messageOf } from './errors.ts';
import { readActionInputs } from './inputs/from-action.ts';
import { parseInputs } from './inputs/parse.ts';
import { createActionLogger } from './report/action-logger.ts';
import { createMask } from './report/mask.ts';
import { secretsOf } from './inputs/secrets.ts';
import { run } from './run.ts';

/** Reads what the targets say and reports what is still pending. Changes nothing: undoing is the guard's work. */
async function main(variables: NodeJS.ProcessEnv): Promise<void> {
  if (!needsALook()) return;
  const { raw, othersMayBeThere } = readActionInputs(variables);
  const secrets = secretsOf(raw);
  const log = createActionLogger({ mask: createMask(secrets) });
  const environment = { user: userInfo().username, sshAuthSock: variables['SSH_AUTH_SOCK'], othersMayBeThere };
  const asked = new Map([...raw].filter(([name]) => !ONLY_FOR_UPGRADES.has(name))).set('command', 'status');
  const { config } = await parseInputs(asked, environment);
  const { report } = await run({ config, log, cancel: AbortSignal.timeout(60_000) });
  for (const host of report.hosts) {
    if (host.outcome !== 'reported')
      log.warning(`${host.target}: its state cannot be read: ${host.reason?.message ?? ''}`);
    else if (host.state !== 'idle') log.warning(`${host.target} is ${host.state}: ${host.notes.join('; ')}`);
  }
}

/** Files of theirs may be gone by now. */
const ONLY_FOR_UPGRADES = new Set([
  'binary',
  'download-url',
  'nginx-version',
  'sha256',
  'add-modules',
  'trusted-keys',
  'health-ca',
]);

/** The step was cut short before it could say how it ended, or it ended with something pending. */
function needsALook(): boolean {
  return core.getState('targets') !== '' && (core.getState('ended') === '' || core.getState('pending') === 'true');
}

void main(process.env)
  .catch((error: unknown) => core.warning(`The state of the targets could not be read: ${messageOf(error)}`))
  .finally(() => process.exit());
