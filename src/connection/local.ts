import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { homedir } from 'node:os';
import type { Duplex } from 'node:stream';
import { messageOf, UpgradeError } from '../errors.ts';
import { DialError } from './port.ts';
import type { Channel, Connection, Ended } from './port.ts';
import { errorCode, networkFault } from './socket.ts';

/** All that a command here gets of the job's environment: no token and no secret is among it. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'XDG_RUNTIME_DIR', 'XDG_STATE_HOME'];

/** This machine, without SSH. Its link cannot be lost. */
export function connectLocal(): Connection {
  const open = new Set<() => void>();
  let closed = false;
  return {
    lost: new AbortController().signal,
    roundTripMs: 0,
    start: async (command) => {
      if (closed)
        throw new UpgradeError('connection-lost', 'local: expected to start a command; found the connection closed');
      const child = await spawnShell(command);
      const abort = (): void => killGroup(child);
      open.add(abort);
      return localChannel(child, abort, () => open.delete(abort));
    },
    dial: async (to) => {
      if (closed) throw new DialError('lost', 'the connection was closed by this run');
      const socket = connect({ ...to, noDelay: true });
      const end = (): void => void socket.destroy();
      open.add(end);
      socket.once('close', () => open.delete(end));
      return connected(socket, to);
    },
    close: () => {
      closed = true;
      for (const end of open) end();
    },
  };
}

async function spawnShell(command: string): Promise<ChildProcessWithoutNullStreams> {
  const home = homedir();
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: existsSync(home) ? home : '/',
    env: environment(),
    // A process group of its own, so that giving up on it reaches what it started as well.
    detached: true,
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new UpgradeError('internal', `local: expected to start /bin/sh; found ${messageOf(error)}`, { cause: error });
  }
  return child;
}

function environment(): NodeJS.ProcessEnv {
  const chosen: NodeJS.ProcessEnv = { LANG: 'C' };
  for (const name of PASSED_ON) {
    if (process.env[name] !== undefined) chosen[name] = process.env[name];
  }
  return chosen;
}

function localChannel(child: ChildProcessWithoutNullStreams, abort: () => void, finished: () => void): Channel {
  // EPIPE is told by `ended`; without a listener it would end the process.
  for (const stream of child.stdio) stream?.on('error', ignore);
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      finished();
      if (code !== null) resolve({ kind: 'exit', code });
      else resolve({ kind: 'signal', signal: signal ?? 'SIGKILL' });
    });
  });
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, abort };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended meanwhile. EPERM: all of it runs as root by now; closing its streams is what is left.
    child.stdin?.destroy();
  }
}

async function connected(socket: Socket, to: { host: string; port: number }): Promise<Duplex> {
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const ours = ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ABORT_ERR'].includes(errorCode(error));
    throw new DialError(ours ? 'lost' : 'refused', `${to.host}:${to.port}: ${networkFault(error).finding}`);
  }
}

function ignore(): void {}
