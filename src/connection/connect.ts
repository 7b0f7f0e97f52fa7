import type { Config, Target } from '../config.ts';
import type { Connection } from './port.ts';

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
  // Loaded only here: a local run has no use for the SSH library and its start-up time.
  const { connectLibrary } = await import('./library.ts');
  const { host, port, user } = target;
  return connectLibrary({ host, port, user, ssh, ...(log === undefined ? {} : { log }) });
}
