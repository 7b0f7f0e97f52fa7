import { buffer } from 'node:stream/consumers';
import type { SshSettings } from '../../src/config.ts';
import { connectLibrary } from '../../src/connection/library.ts';
import type { LibraryOptions } from '../../src/connection/library.ts';
import type { Channel, Connection, Ended } from '../../src/connection/port.ts';
import type { Sshd } from './sshd.ts';

/** For `startSshd`: logins that do not read the dot files of whoever runs the tests. */
export const BARE_LOGIN = 'SetEnv HOME=/nonexistent';

interface Overrides extends Partial<Omit<LibraryOptions, 'ssh'>> {
  ssh?: Partial<SshSettings>;
  /** Left out of what `ssh` would hold otherwise. */
  without?: ('key' | 'knownHosts')[];
}

/** The options that log in to `sshd`, but for `overrides`. */
export function loginTo(sshd: Sshd, { without = [], ...overrides }: Overrides = {}): LibraryOptions {
  const ssh: SshSettings = {
    key: sshd.clientKey,
    fingerprints: [],
    knownHosts: sshd.knownHosts,
    connectTimeout: 10_000,
  };
  for (const name of without) delete ssh[name];
  return { host: sshd.host, port: sshd.port, user: sshd.user, ...overrides, ssh: { ...ssh, ...overrides.ssh } };
}

/** A connection to `sshd` that a test may break: a dead link is noticed after 0.3–0.4 s. */
export function openConnection(sshd: Sshd, port = sshd.port): Promise<Connection> {
  const keepalive = { interval: 100, count: 3 };
  return connectLibrary(loginTo(sshd, { port, keepalive, ssh: { knownHosts: knownAt(sshd, port) } }));
}

/** The server's known_hosts as it should read behind a proxy at `port`. */
export function knownAt(sshd: Sshd, port: number): string {
  return sshd.knownHosts.replaceAll(`]:${sshd.port} `, `]:${port} `);
}

/** Runs `command` to its end without input. */
export async function run(
  connection: Connection,
  command: string,
): Promise<{ stdout: string; stderr: string; ended: Ended }> {
  return finish(await connection.start(command));
}

/** Ends the input and collects the output. */
export async function finish(channel: Channel): Promise<{ stdout: string; stderr: string; ended: Ended }> {
  channel.stdin.end();
  const output = Promise.all([buffer(channel.stdout), buffer(channel.stderr), channel.ended]);
  const [stdout, stderr, ended] = await output;
  return { stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1'), ended };
}
