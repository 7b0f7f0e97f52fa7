import { COMMANDS, type Command, type Config, type Target } from '../config.ts';
import type { InputProblem } from '../errors.ts';
import { readBinary } from './binary.ts';
import { duration } from './duration.ts';
import { oneOf } from './enum.ts';
import { openForm, type Form, type FormOptions, type RawInputs } from './form.ts';
import { readHealth } from './health.ts';
import { checkLater } from './later.ts';
import { parsePort } from './number.ts';
import { parseTargetPath } from './path.ts';
import { secretsOf } from './secrets.ts';
import { readSsh } from './ssh.ts';
import { parseSudo } from './sudo.ts';
import { readSwitch } from './switch.ts';
import { parseTargets, wantsSsh } from './targets.ts';
import { refuseUnavailable } from './unavailable.ts';
import { parseUser } from './user.ts';

export interface InputEnvironment extends FormOptions {
  /** Login name of the current user. */
  user: string;
  /** Path of an SSH agent's socket (`SSH_AUTH_SOCK`), where there is one. */
  sshAuthSock?: string | undefined;
}

export interface ParsedInputs {
  config: Config;
  warnings: InputProblem[];
  /** Every text to mask; also `secretsOf(raw)`, which never throws. */
  secrets: string[];
}

/** Reads and checks every input. Rejects with InputError that holds all mistakes at once, none of them with a secret. */
export async function parseInputs(raw: RawInputs, environment: InputEnvironment): Promise<ParsedInputs> {
  const form = openForm(raw, environment);
  const secrets = secretsOf(raw);
  const config = await readConfig(form, { raw, environment });
  return { config, warnings: form.close(secrets), secrets };
}

interface Source {
  raw: RawInputs;
  environment: InputEnvironment;
}

async function readConfig(form: Form, { raw, environment }: Source): Promise<Config> {
  const command = form.setting('command', oneOf(COMMANDS));
  refuseUnavailable(form);
  checkLater(form);
  const binary = await readBinary(form, command);
  const targets = readTargets(form, { user: environment.user, command });
  const ssh = wantsSsh(form.given('targets') ?? '');
  const pidFile = form.optional('pid-file', parseTargetPath);
  const health = readHealth(form, targets);
  if (health === undefined) requireHealth(form, command);
  return {
    command,
    targets,
    ssh: await readSsh(form, { ssh, targets, agent: environment.sshAuthSock }),
    sudo: raw.get('sudo')?.trim() === '' ? [] : form.setting('sudo', parseSudo),
    commandTimeout: form.setting('command-timeout', duration({ min: 1 })),
    ...(binary === undefined ? {} : { binary }),
    ...(pidFile === undefined ? {} : { pidFile }),
    ...(health === undefined ? {} : { health }),
    switch: readSwitch(form),
  };
}

/** To build with the arguments of what runs, somebody has to be asked. */
function inherits(form: Form): boolean {
  if (form.given('binary') !== undefined || form.given('download-url') !== undefined) return false;
  if (form.given('nginx-version') === undefined || form.blamed('configure-args')) return false;
  return (form.given('configure-args') ?? 'inherit') === 'inherit';
}

interface Asked {
  /** The current one. */
  user: string;
  command: Command;
}

function readTargets(form: Form, { user: currentUser, command }: Asked): Target[] {
  const user = form.optional('username', parseUser) ?? currentUser;
  const port = form.setting('port', parsePort);
  const targets = form.optional('targets', (text) => parseTargets(text, { user, port }));
  const optional = command === 'build' && !inherits(form);
  if (targets === undefined && !optional && !form.blamed('targets') && !form.blamed('inventory')) {
    const instead = command === 'build' ? '; or say the arguments in "configure-args", and none is needed' : '';
    form.problem('targets', `no targets: expected at least one [user@]host[:port], or the word "local"${instead}`);
  }
  return targets ?? [];
}

function requireHealth(form: Form, command: Command): void {
  if (command !== 'upgrade' || form.blamed('health-url') || form.blamed('command')) return;
  const how = 'a URL that shows that a target is well, such as http://127.0.0.1/';
  form.problem('health-url', `"upgrade" needs ${how}, or the word "none" to go without probes`);
}
