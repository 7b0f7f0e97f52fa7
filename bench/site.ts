import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, type CommandResult } from '../test/support/command.ts';
import { bootHost, type TestHost } from '../test/support/hosts.ts';
import { ownTempDir } from '../test/support/temp-dir.ts';

/** A booted host, and what OpenSSH and our program need to log in there. */
export interface Site extends AsyncDisposable {
  host: TestHost;
  /** `user@address`. */
  login: string;
  knownHostsPath: string;
  /** A folder for this benchmark, removed when it ends. */
  dir: string;
  /** Words for our program: where, and as whom. */
  reach: string[];
  /** Words for ssh and scp that use no connection but their own. */
  sshOptions: string[];
}

export async function openSite(name: string): Promise<Site> {
  const host = await bootHost(name);
  const dir = ownTempDir();
  const knownHostsPath = join(dir, 'known_hosts');
  await writeFile(knownHostsPath, host.knownHosts);
  const login = `${host.user}@${host.address}`;
  const strict = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHostsPath}`,
  ];
  return {
    host,
    dir,
    login,
    knownHostsPath,
    reach: ['--targets', login, '--key', `@${host.clientKeyPath}`, '--known-hosts', `@${knownHostsPath}`],
    sshOptions: ['-F', 'none', '-i', host.clientKeyPath, ...strict.flatMap((option) => ['-o', option])],
    [Symbol.asyncDispose]: () => host.stop(),
  };
}

/** Reports and what our program keeps compiled go where they are removed with us. */
const scratch = ownTempDir();

/** Words of an environment in which our program has nothing compiled yet, as on a fresh CI machine. */
export async function nothingCompiled(): Promise<NodeJS.ProcessEnv> {
  return { XDG_CACHE_HOME: await mkdtemp(join(scratch, 'cold-')) };
}

/** Runs a program to its end, which must be a good one, and measures it from start to end. */
export async function timed(words: string[], over: NodeJS.ProcessEnv = {}): Promise<CommandResult & { ms: number }> {
  const env = { ...process.env, RUNNER_TEMP: scratch, XDG_CACHE_HOME: join(scratch, 'cache'), ...over };
  const start = performance.now();
  const result = await command(words, { env });
  const ms = performance.now() - start;
  if (result.code === 0) return { ...result, ms };
  throw new Error(`expected exit 0 of ${words.join(' ')}, found ${result.code}:\n${result.stdout}${result.stderr}`);
}
