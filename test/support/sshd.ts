import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { mustRun } from './command.ts';
import { freePort } from './port.ts';
import { descendants, executable, signal } from './processes.ts';
import { belongsTo, ownTempDir, removeWithProcesses } from './temp-dir.ts';

export interface SshdOptions {
  /** Lines for sshd_config; the first of two equal keywords counts, and these come first. */
  config?: string;
}

export interface Sshd {
  host: '127.0.0.1';
  port: number;
  /** The login that `clientKey` opens: whoever runs the tests. */
  user: string;
  /** known_hosts text: one line a host key, `[127.0.0.1]:port type key`. */
  knownHosts: string;
  /** `SHA256:…` of the ed25519 host key, and of the RSA one. */
  fingerprint: string;
  rsaFingerprint: string;
  /** OpenSSH private key text, and a file that holds it (0600). */
  clientKey: string;
  clientKeyPath: string;
  /** What sshd said so far. */
  log(): string;
  /** Kills the server side of every session, as a network that breaks would; what they had started is left alone. */
  dropSessions(): void;
  /** Ends the listener, every session and what runs in them. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real OpenSSH server on a loopback port, with host keys of its own and one key that may log in. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = ownTempDir();
  const port = await freePort();
  const clientKeyPath = join(dir, 'client');
  const [ed25519, rsa] = await Promise.all([
    makeKey(join(dir, 'host_ed25519'), 'ed25519'),
    makeKey(join(dir, 'host_rsa'), 'rsa'),
    makeKey(clientKeyPath, 'ed25519'),
  ]);
  await copyFile(`${clientKeyPath}.pub`, join(dir, 'authorized_keys'));
  await writeFile(join(dir, 'sshd_config'), configuration(dir, { port, extra: options.config ?? '' }));
  const { child, log } = await launch(dir);
  const stop = () => stopSshd(child, dir);
  return {
    host: '127.0.0.1',
    port,
    user: userInfo().username,
    knownHosts: [ed25519, rsa].map((key) => `[127.0.0.1]:${port} ${key.line}\n`).join(''),
    fingerprint: ed25519.fingerprint,
    rsaFingerprint: rsa.fingerprint,
    clientKey: await readFile(clientKeyPath, 'utf8'),
    clientKeyPath,
    log,
    dropSessions: () => dropSessions(child),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function makeKey(path: string, type: string): Promise<{ line: string; fingerprint: string }> {
  await mustRun(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', 'test', '-f', path]);
  const [line, printed] = await Promise.all([readFile(`${path}.pub`, 'utf8'), mustRun(['ssh-keygen', '-lf', path])]);
  return { line: line.split(' ').slice(0, 2).join(' '), fingerprint: printed.split(' ')[1] ?? '' };
}

function configuration(dir: string, at: { port: number; extra: string }): string {
  return `${at.extra}
ListenAddress 127.0.0.1:${at.port}
HostKey ${dir}/host_ed25519
HostKey ${dir}/host_rsa
AuthorizedKeysFile ${dir}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
`;
}

async function launch(dir: string): Promise<{ child: ChildProcess; log: () => string }> {
  const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));
  if (!sshd) throw new Error('expected sshd in /usr/sbin, found none: install openssh-server');
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn(sshd, ['-D', '-e', '-f', join(dir, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  belongsTo(dir, child.pid ?? 0);
  const said: string[] = [];
  const log = () => said.join('\n');
  const lines = createInterface({ input: child.stderr });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('Server listening on')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`expected a listening sshd, found:\n${log()}`)));
  });
  return { child, log };
}

function dropSessions(child: ChildProcess): void {
  const sessions = descendants(child.pid ?? 0).filter((pid) => executable(pid).endsWith('/sshd'));
  for (const pid of sessions) signal(pid, 'SIGKILL');
}

async function stopSshd(child: ChildProcess, dir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, 'close');
    removeWithProcesses(dir);
    await closed;
  }
}
