// oxlint-disable-next-line eslint/no-restricted-imports -- reads keys and reaches the agent for library.ts
import ssh2 from 'ssh2';
// oxlint-disable-next-line eslint/no-restricted-imports -- types only
import type {
  AgentAuthMethod,
  AuthHandlerMiddleware,
  ParsedKey,
  PublicKeyAuthMethod,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2';
import type { SshSettings } from '../config.ts';
import { fingerprintOf } from '../ssh/host-key.ts';

/** One attempt to log in: what is shown to the server, and what became of it. */
export interface Login {
  user: string;
  handler: AuthHandlerMiddleware;
  /** What was offered, as the end of a sentence. */
  readonly offered: string;
  /** What the server would accept, as it said when it refused; empty: it did not say. */
  readonly allowed: readonly string[];
  /** The key was accepted, but the server wants more than a key. */
  readonly partial: boolean;
}

interface Credential {
  method: PublicKeyAuthMethod | AgentAuthMethod;
  offered: string;
}

/** A sentence where there is nothing to log in with. The key where one is given, else the agent. Passwords, keyboard-interactive and agent forwarding are never used. */
export function prepareLogin(user: string, ssh: SshSettings): Login | string {
  const credential = ssh.key === undefined ? agentCredential(user, ssh) : keyCredential(user, ssh);
  if (typeof credential === 'string') return credential;
  let tried = false;
  const login = { user, offered: credential.offered, allowed: [] as string[], partial: false };
  const handler = (allowed: string[] | null, partial: boolean | null): Credential['method'] | false => {
    login.allowed = allowed ?? [];
    login.partial = partial === true;
    // Returned, not passed on: only a returned `false` ends the login.
    if (tried) return false;
    tried = true;
    return credential.method;
  };
  return Object.assign(login, { handler });
}

function keyCredential(user: string, ssh: SshSettings): Credential | string {
  // OpenSSH's format may hold several keys, which makes ssh2 answer with a list.
  const [key] = [ssh2.utils.parseKey(ssh.key ?? '', ssh.passphrase)].flat();
  if (key === undefined || key instanceof Error) {
    return `expected a private key that can be read; found ${key?.message ?? 'none'}`;
  }
  const offered = `the given key (${key.type}, ${fingerprintOf(key.getPublicSSH())})`;
  return { method: { type: 'publickey', username: user, key: withoutSha1(key) }, offered };
}

const SHA1_ONLY = 'the server takes RSA keys with SHA-1 signatures only, which are refused: use an ed25519 key';

/** ssh2 falls back to SHA-1 where a server does not say which signatures it accepts; this ends the login instead. */
function withoutSha1(key: ParsedKey): ParsedKey {
  const sign = key.sign.bind(key);
  return Object.assign(key, {
    sign: (data: Buffer | string, algorithm?: string): Buffer => {
      if (algorithm === 'sha1') throw new Error(SHA1_ONLY);
      return sign(data, algorithm);
    },
  });
}

type AgentKey = ParsedKey | Buffer | string;

function agentCredential(user: string, ssh: SshSettings): Credential | string {
  if (ssh.agent === undefined || ssh.agent === '') {
    return 'expected a private key or an SSH agent to log in with; found neither';
  }
  const agent = ssh2.createAgent(ssh.agent);
  const sign = agent.sign.bind(agent);
  Object.assign(agent, {
    sign: (key: AgentKey, data: Buffer, options: SigningRequestOptions, done?: SignCallback): void => {
      if (options.hash === 'sha1') done?.(new Error(SHA1_ONLY));
      else sign(key, data, options, done);
    },
  });
  const offered = `the keys of the agent at ${ssh.agent} (certificates and security keys in it are not usable here)`;
  return { method: { type: 'agent', username: user, agent }, offered };
}
