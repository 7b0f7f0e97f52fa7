import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
// oxlint-disable-next-line eslint/no-restricted-imports -- shows a trap of ssh2 that our verifier must avoid
import ssh2 from 'ssh2';
import { connectLibrary } from '../../src/connection/library.ts';
import type { LibraryOptions } from '../../src/connection/library.ts';
import { UpgradeError } from '../../src/errors.ts';
import type { Reason } from '../../src/errors.ts';
import { mustRun } from '../support/command.ts';
import { fakeKey } from '../support/host-keys.ts';
import { BARE_LOGIN, loginTo, run } from '../support/open-connection.ts';
import { startAgent } from '../support/ssh-agent.ts';
import { startSshd } from '../support/sshd.ts';
import type { Sshd } from '../support/sshd.ts';
import { ownTempDir } from '../support/temp-dir.ts';

let sshd: Sshd;
const dir = ownTempDir();
before(async () => {
  sshd = await startSshd({ config: `${BARE_LOGIN}\nLogLevel DEBUG1` });
});
after(() => sshd.stop());

describe('logging in', () => {
  it('works with a key', async () => {
    await logsIn(loginTo(sshd));
    assert.match(sshd.log(), /userauth-request for user/);
  });

  it('works with a key and its passphrase, and names a wrong one', async () => {
    const path = await newKey('locked', ['-t', 'ed25519', '-N', 'open sesame']);
    const key = await readFile(path, 'utf8');
    await using server = await startSshd({ config: await authorising(path) });
    await logsIn(loginTo(server, { ssh: { key, passphrase: 'open sesame' } }));
    await refused(
      loginTo(server, { ssh: { key, passphrase: 'wrong' } }),
      'auth',
      /private key that can be read; found/,
    );
  });

  it('works with an agent', async () => {
    await using agent = await startAgent([sshd.clientKeyPath]);
    await logsIn(loginTo(sshd, { without: ['key'], ssh: { agent: agent.socket } }));
  });

  it('negotiates nothing with SHA-1, CBC or ChaCha20', async () => {
    await logsIn(loginTo(sshd));
    assert.match(sshd.log(), /kex: client->server cipher: aes128-gcm@openssh.com MAC: <implicit> compression: none/);
    assert.match(sshd.log(), /kex: host key algorithm: ssh-ed25519/);
  });
});

describe('a host key', () => {
  it('that is another than on record is refused before anything is authenticated', async () => {
    await using server = await startSshd({ config: 'LogLevel DEBUG1' });
    const stranger = fakeKey('ssh-ed25519');
    const knownHosts = `[127.0.0.1]:${server.port} ${stranger.line}`;
    await refused(loginTo(server, { ssh: { knownHosts } }), 'host-key', [
      `expected ${stranger.fingerprint} (ssh-ed25519), known-hosts line 1; found ${server.fingerprint}`,
    ]);
    assert.match(server.log(), /Connection (?:closed|reset)|kex/i);
    assert.doesNotMatch(server.log(), /userauth-request/);
  });

  it('of an unknown host is refused, with what was looked up and what it shows', async () => {
    const knownHosts = sshd.knownHosts.replaceAll('127.0.0.1', '127.0.0.2');
    await refused(loginTo(sshd, { ssh: { knownHosts } }), 'host-key', [
      `looked up: [127.0.0.1]:${sshd.port}`,
      sshd.fingerprint,
    ]);
  });

  it('on record for another port is refused', async () => {
    const knownHosts = sshd.knownHosts.replaceAll(`:${sshd.port}`, ':2222');
    await refused(loginTo(sshd, { ssh: { knownHosts } }), 'host-key', /Line 1 is about the same name at another port/);
  });

  it('of type RSA on record is the one that the server is asked for', async () => {
    const knownHosts = lineOf(sshd, 'ssh-rsa');
    await logsIn(loginTo(sshd, { ssh: { knownHosts } }));
    await logsIn(loginTo(sshd, { ssh: { knownHosts, fingerprints: [sshd.rsaFingerprint] } }));
    await refused(
      loginTo(sshd, { ssh: { knownHosts, fingerprints: [sshd.fingerprint] } }),
      'host-key',
      /both must agree/,
    );
  });

  it('of a type that the server does not have is refused with what it has', async () => {
    const knownHosts = `[127.0.0.1]:${sshd.port} ${fakeKey('ecdsa-sha2-nistp256').line}`;
    await refused(
      loginTo(sshd, { ssh: { knownHosts } }),
      'host-key',
      /ecdsa-sha2-nistp256\); found a server that has only .*ssh-ed25519/,
    );
  });

  it('that is revoked is refused', async () => {
    const knownHosts = `${sshd.knownHosts}@revoked * ${lineOf(sshd, 'ssh-ed25519').split(' ').slice(1).join(' ')}`;
    await refused(loginTo(sshd, { ssh: { knownHosts } }), 'host-key', /is revoked: known-hosts line 3/);
  });

  it('can be vouched for by a pin alone, and is refused by another', async () => {
    await logsIn(loginTo(sshd, { without: ['knownHosts'], ssh: { fingerprints: [sshd.fingerprint] } }));
    const { fingerprint } = fakeKey('ssh-ed25519');
    const pinned = loginTo(sshd, { without: ['knownHosts'], ssh: { fingerprints: [fingerprint] } });
    await refused(pinned, 'host-key', [`expected ${fingerprint} (input fingerprint); found ${sshd.fingerprint}`]);
  });

  it('is refused where nothing vouches for it, and where known_hosts is malformed', async () => {
    await refused(loginTo(sshd, { without: ['knownHosts'] }), 'host-key', /vouches for this host/);
    await refused(
      loginTo(sshd, { ssh: { knownHosts: `${sshd.knownHosts}web1` } }),
      'host-key',
      /line 3: .* found one word/,
    );
  });

  it('would be accepted by ssh2 from any verifier that is asynchronous, which is why ours is not', async () => {
    const client = new ssh2.Client();
    client.connect({
      host: sshd.host,
      port: sshd.port,
      username: sshd.user,
      privateKey: sshd.clientKey,
      // oxlint-disable-next-line typescript/no-misused-promises -- the trap: it type-checks, and a promise is no `false`
      hostVerifier: refuseLater,
    });
    await once(client, 'ready');
    client.end();
    await once(client, 'close');
  });
});

describe('a login that is refused', () => {
  it('says what was offered and what the server allows', async () => {
    const key = await readFile(await newKey('stranger', ['-t', 'ed25519', '-N', '']), 'utf8');
    await refused(loginTo(sshd, { ssh: { key } }), 'auth', [
      `127.0.0.1:${sshd.port}: expected to log in as ${sshd.user} with the given key (ssh-ed25519, SHA256:`,
      'found refused (the server allows: publickey)',
    ]);
  });

  it('says that a second proof is demanded', async () => {
    await using server = await startSshd({
      config: 'PasswordAuthentication yes\nAuthenticationMethods publickey,password',
    });
    await refused(
      loginTo(server),
      'auth',
      /accepted, but the server demands a second proof \(the server allows: password\)/,
    );
  });

  it('says that the agent is not there, or that neither key nor agent was given', async () => {
    await refused(
      loginTo(sshd, { without: ['key'], ssh: { agent: join(dir, 'nowhere') } }),
      'auth',
      /nowhere.*found the agent failed/,
    );
    await refused(loginTo(sshd, { without: ['key'] }), 'auth', /found neither/);
  });

  it('says that the agent holds too many keys', async () => {
    const paths = await Promise.all([1, 2, 3].map((each) => newKey(`many${each}`, ['-t', 'ed25519', '-N', ''])));
    await using agent = await startAgent(paths);
    await using server = await startSshd({ config: 'MaxAuthTries 2' });
    await refused(loginTo(server, { without: ['key'], ssh: { agent: agent.socket } }), 'auth', /too many keys/);
  });

  it('is not what becomes of an RSA key, which signs with SHA-2', async () => {
    const path = await newKey('rsa', ['-t', 'rsa', '-N', '']);
    const key = await readFile(path, 'utf8');
    await using agent = await startAgent([path]);
    await using server = await startSshd({
      config: `${await authorising(path)}\nPubkeyAcceptedAlgorithms rsa-sha2-256`,
    });
    await logsIn(loginTo(server, { ssh: { key } }));
    await logsIn(loginTo(server, { without: ['key'], ssh: { agent: agent.socket } }));
  });
});

async function refuseLater(): Promise<boolean> {
  return false;
}

async function logsIn(options: LibraryOptions): Promise<void> {
  const connection = await connectLibrary(options);
  try {
    assert.equal((await run(connection, 'echo in')).stdout, 'in\n');
  } finally {
    connection.close();
  }
}

async function refused(options: LibraryOptions, reason: Reason, message: RegExp | string[]): Promise<void> {
  const log: string[] = [];
  const connecting = connectLibrary({ ...options, log: (line) => log.push(line) });
  // An open connection would keep the process alive: an unexpected one must fail the test, not hang it.
  void connecting.then((connection) => connection.close()).catch(() => {});
  await assert.rejects(connecting, (error) => {
    assert.ok(error instanceof UpgradeError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.ok(error.message.startsWith(`${options.host}:${options.port}: `), error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else for (const part of message) assert.ok(error.message.includes(part), `${error.message}\nlacks: ${part}`);
    return true;
  });
  assert.deepEqual(log, [], 'what is refused is not tried again');
}

function lineOf(server: Sshd, type: string): string {
  return server.knownHosts.split('\n').find((line) => line.includes(` ${type} `)) ?? '';
}

async function newKey(name: string, options: string[]): Promise<string> {
  const path = join(dir, name);
  await mustRun(['ssh-keygen', '-q', ...options, '-C', name, '-f', path]);
  return path;
}

/** A line of sshd_config that lets in who has the key in this file. */
async function authorising(path: string): Promise<string> {
  await writeFile(`${path}.authorized`, await readFile(`${path}.pub`));
  return `AuthorizedKeysFile ${path}.authorized`;
}
