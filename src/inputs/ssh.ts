import { statSync } from 'node:fs';
import type { SshSettings, Target } from '../config.ts';
import { duration } from './duration.ts';
import type { Form } from './form.ts';
import { parsePrivateKey } from './private-key.ts';
import { SHORTEST_SECRET } from './secrets.ts';
import { show } from './show.ts';
import { readTrust } from './trust.ts';

export interface SshUse {
  /** Is any target behind SSH? */
  ssh: boolean;
  targets: Target[];
  /** Path of an agent's socket. */
  agent: string | undefined;
}

export async function readSsh(form: Form, use: SshUse): Promise<SshSettings> {
  const connectTimeout = form.setting('timeout', duration({ min: 1 }));
  return { ...(await readLogin(form, use)), ...readTrust(form, use), connectTimeout };
}

type Login = Pick<SshSettings, 'key' | 'passphrase' | 'agent'>;

async function readLogin(form: Form, { ssh, agent }: SshUse): Promise<Login> {
  const passphrase = readPassphrase(form);
  const text = form.given('key');
  if (!ssh || form.blamed('key')) return {};
  if (text === undefined) return readAgent(form, agent);
  const key = form.take('key', await parsePrivateKey(text, passphrase));
  return { ...(key === undefined ? {} : { key }), ...(passphrase === undefined ? {} : { passphrase }) };
}

function readPassphrase(form: Form): string | undefined {
  const passphrase = form.given('passphrase');
  if (passphrase === undefined) return undefined;
  if (passphrase.length >= SHORTEST_SECRET) return passphrase;
  form.problem(
    'passphrase',
    `is shorter than ${SHORTEST_SECRET} characters, so that it could not be masked in the log`,
  );
  return undefined;
}

function readAgent(form: Form, agent: string | undefined): Login {
  if (agent === undefined || agent === '') {
    form.problem('key', 'is empty, and SSH_AUTH_SOCK names no agent: is the secret defined, and for this environment?');
    return {};
  }
  if (statSync(agent, { throwIfNoEntry: false })?.isSocket() === true) return { agent };
  form.problem('key', `is empty, and SSH_AUTH_SOCK names no agent's socket: ${show(agent)}`);
  return {};
}
