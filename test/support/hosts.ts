import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { asRoot, command, mustRun, type CommandResult } from './command.ts';
import { withLock } from './lock.ts';
import { machineRelease } from './machine-release.ts';
import { nginxBuild } from './nginx-builds.ts';
import { answers } from './port.ts';
import { waitFor } from './wait.ts';

const cache = join(import.meta.dirname, '../../.cache/hosts');
const script = join(import.meta.dirname, 'host.sh');

/** A whole Debian machine with systemd, sshd on 22 and nginx 1.22.1 on 80 under `nginx.service`. */
export interface TestHost {
  name: string;
  /** IPv4, reachable from this machine and from the other hosts. */
  address: string;
  /** Non-root login with `sudo -n`; `root` takes the same key. */
  user: 'deploy';
  /** known_hosts text for `address`. */
  knownHosts: string;
  /** OpenSSH private key text, and the file that holds it. */
  clientKey: string;
  clientKeyPath: string;
  /** For `assertAtRest`. */
  binaryPath: '/usr/sbin/nginx';
  pidFile: '/run/nginx.pid';
  wholeHost: true;
  /** Runs a POSIX sh script as root on the host, without SSH. */
  run(script: string): Promise<CommandResult>;
  /** Throws the host's disk away and boots it afresh, with the same address and host key. */
  reset(): Promise<void>;
  /** Everything on the host is dead at once; its disk stays as it was. `boot` starts it again. */
  powerCut(): Promise<void>;
  /** An orderly shutdown; `boot` starts it again. */
  shutdown(): Promise<void>;
  boot(): Promise<void>;
  /** Removes the host and all that belongs to it. Idempotent; happens by itself when the test process ends. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Why whole hosts cannot boot here, as a sentence for `skip`; false where they can.
 * `npm test` finds out by booting one and hands its finding down in NHU_NO_HOSTS.
 */
export function noHosts(): string | false {
  return process.env['NHU_NO_HOSTS'] || false;
}

/** Boots a host called `name`: 3 s, and a minute more the first time on a machine. */
export async function bootHost(name: string): Promise<TestHost> {
  const clientKeyPath = await prepareHosts();
  const number = (await hostScript('up', cache, name, String(process.pid))).trim();
  const watcher = watch(number);
  const address = `10.231.77.${number}`;
  const run = (text: string) => command(asRoot(['sh', script, 'enter', number, text]));
  const boot = async () => {
    await hostScript('boot', number);
    await waitUntilUp({ name, address, run });
  };
  try {
    await boot();
    const hostKey = (await run('cat /etc/ssh/ssh_host_ed25519_key.pub')).stdout.split(' ').slice(0, 2).join(' ');
    return {
      name,
      address,
      user: 'deploy',
      knownHosts: `${address} ${hostKey}\n`,
      clientKey: await readFile(clientKeyPath, 'utf8'),
      clientKeyPath,
      binaryPath: '/usr/sbin/nginx',
      pidFile: '/run/nginx.pid',
      wholeHost: true,
      run,
      boot,
      reset: async () => {
        await hostScript('wipe', number);
        await boot();
      },
      powerCut: async () => void (await hostScript('cut', number)),
      shutdown: async () => void (await hostScript('halt', number)),
      stop: watcher.stop,
      [Symbol.asyncDispose]: watcher.stop,
    };
  } catch (error) {
    await watcher.stop();
    throw error;
  }
}

/** Makes base system, nginx and login key where they are missing (a minute). Returns the key's path. */
export async function prepareHosts(): Promise<string> {
  const [{ mirror, codename }, nginx] = await Promise.all([machineRelease(), nginxBuild('1.22.1')]);
  const key = join(cache, '../hosts-client/id_ed25519');
  await withLock(join(cache, '../hosts-client/lock'), async () => {
    await mkdir(join(key, '..'), { recursive: true });
    if (!existsSync(key)) await mustRun(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  });
  await hostScript('prepare', cache, mirror, codename, nginx, `${key}.pub`);
  return key;
}

/** Removes the hosts of test processes that were killed. */
export async function sweepHosts(): Promise<void> {
  await hostScript('sweep');
}

function hostScript(...words: string[]): Promise<string> {
  return mustRun(asRoot(['sh', script, ...words]));
}

/** A process that takes the host down when we end, however we end: its input is a pipe that only we hold. */
function watch(number: string): { stop: () => Promise<void> } {
  const [program = '', ...args] = asRoot(['sh', script, 'watch', number]);
  const watcher = spawn(program, args, { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(watcher, 'close');
  watcher.unref();
  return {
    stop: async () => {
      watcher.ref();
      watcher.stdin.end();
      await ended;
    },
  };
}

async function waitUntilUp(host: { name: string; address: string; run: TestHost['run'] }): Promise<void> {
  // Silent, or "offline", as long as the host's systemd is too young to be asked.
  const ask = async () => {
    const answer = (await host.run('systemctl is-system-running --wait')).stdout.trim();
    return answer === '' || answer === 'offline' ? undefined : answer;
  };
  const state = await waitFor(`systemd of ${host.name}`, ask);
  if (state !== 'running') {
    const failed = await host.run('systemctl --failed --no-legend; journalctl -b -p err --no-pager | tail -n 20');
    throw new Error(`expected host ${host.name} to be running, found ${state}:\n${failed.stdout}`);
  }
  for (const port of [22, 80]) await waitFor(`port ${port} of ${host.name}`, () => answers(host.address, port));
}
