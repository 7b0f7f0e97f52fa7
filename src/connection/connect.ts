import type { Config, Target } from '../config.ts';
import type { Connection } from './port.ts';

/**
 * Reaches a target: this machine itself, or a host over SSH. Rejects with UpgradeError (`unreachable`, `host-key`,
 * `auth`). `log` is told about repeated tries.
 */
export async function connect(target: Target, config: Config, log?: (message: string) => void): Promise<Connection> {
  if (target.kind === 'local') {
    const { connectLocal } = await import('./local.ts');
    return connectLocal();
  }
  // Loaded only here: a local run has no use for the SSH library and its start-up time.
  const { connectLibrary } = await import('./library.ts');
  const { host, port, user } = target;
  return connectLibrary({ host, port, user, ssh: config.ssh, ...(log === undefined ? {} : { log }) });
}
