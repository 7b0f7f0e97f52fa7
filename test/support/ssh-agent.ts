import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from './command.ts';
import { belongsTo, ownTempDir, removeWithProcesses } from './temp-dir.ts';
import { waitFor } from './wait.ts';

export interface Agent {
  /** Path of its socket. */
  socket: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real ssh-agent that holds the keys in these files. */
export async function startAgent(keyPaths: string[]): Promise<Agent> {
  const dir = ownTempDir();
  const socket = join(dir, 'agent');
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  belongsTo(dir, child.pid ?? 0);
  await waitFor('the agent to listen', () => existsSync(socket));
  for (const path of keyPaths)
    await mustRun(['ssh-add', '-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      const closed = once(child, 'close');
      removeWithProcesses(dir);
      await closed;
    },
  };
}
