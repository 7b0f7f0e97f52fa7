import type { Config, Target } from '../config.ts';
import type { Connection } from './port.ts';
import { openSocket } from './socket.ts';

export interface ConnectSettings extends Pick<Config, 'ssh'> {
  /** Told about every further try to connect. */
  log?: (message: string) => void;
}

/** Reaches this machine itself, or a host over SSH. Rejects with UpgradeError: `unreachable`, `host-key`, `auth`. */
export async function connect(target: Target, { ssh, log }: ConnectSettings): Promise<Connection> {
  if (target.kind === 'local') {
    const { connectLocal } = await import('./local.ts');
    return connectLocal();
  }
  const { host, port, user } = target;
  // The server forks and greets while the library is read from disk.
  const opening = openSocket({ host, port }, ssh.connectTimeout);
  opening.catch(() => {});
  // Loaded only here: a local run has no use for the SSH library and its start-up time.
  const { connectLibrary } = await import('./library.ts');
  try {
    return await connectLibrary({ host, port, user, ssh, opening, ...(log === undefined ? {} : { log }) });
  } catch (error) {
    opening.then(({ socket }) => socket.destroy()).catch(() => {});
    throw error;
  }
}
