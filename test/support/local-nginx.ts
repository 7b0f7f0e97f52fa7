import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, mustRun } from './command.ts';
import { answers, freePort } from './port.ts';
import { processesBelow, signal } from './processes.ts';
import { ownTempDir, removeWithProcesses } from './temp-dir.ts';
import { waitFor } from './wait.ts';

export interface LocalNginxOptions {
  /** A build of `nginxBuild`; the instance runs a copy of its own. */
  binary: string;
  /** `worker_processes`; 2 where not given. */
  workers?: number;
  /** Directives inside `server { }`, before the `location /` that answers "ok". */
  server?: string;
  /** Directives at the top level of the configuration. */
  main?: string;
  /** Where the tests run as root: the login that the instance runs as, `root` where not given. */
  user?: string;
}

export interface LocalNginx {
  dir: string;
  /** The running file, also argv[0]: what an upgrade replaces. */
  binaryPath: string;
  pidFile: string;
  configFile: string;
  errorLog: string;
  port: number;
  /** Login that owns the instance, and a home for it where it is not ours. */
  user: string | undefined;
  home: string;
  /** What the pid file says now. */
  masterPid(): Promise<number>;
  /** Runs a shell script as the user of the instance. */
  run: RunScript;
  /** Ends every process of the instance, whatever generation, and removes the folder. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Runs a POSIX sh script at the place in question. */
export type RunScript = (script: string) => Promise<{ code: number | null; stdout: string; stderr: string }>;

/** A real nginx on 127.0.0.1 that answers 200 "ok" with its version in `X-Nginx`. */
export async function startNginx(options: LocalNginxOptions): Promise<LocalNginx> {
  const dir = ownTempDir();
  const port = await freePort();
  const paths = {
    binary: join(dir, 'sbin/nginx'),
    config: join(dir, 'conf/nginx.conf'),
    pid: join(dir, 'run/nginx.pid'),
  };
  await layOut(dir, options);
  await writeFile(paths.config, configuration({ dir, port, ...options }));
  if (options.user) await mustRun(['chown', '-R', `${options.user}:`, dir]);
  const run: RunScript = (script) => command(asUser(options.user, dir, ['sh', '-c', script]));
  const stop = () => stopNginx(dir);
  try {
    const words = [paths.binary, '-p', `${dir}/`, '-c', paths.config, '-e', join(dir, 'logs/error.log')];
    await mustRun(asUser(options.user, dir, words));
    await waitFor(`nginx on port ${port}`, () => answers('127.0.0.1', port));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    dir,
    binaryPath: paths.binary,
    pidFile: paths.pid,
    configFile: paths.config,
    errorLog: join(dir, 'logs/error.log'),
    port,
    user: options.user,
    home: join(dir, 'home'),
    masterPid: async () => Number(await readFile(paths.pid, 'utf8')),
    run,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function layOut(dir: string, options: LocalNginxOptions): Promise<void> {
  await chmod(dir, 0o755);
  for (const name of ['sbin', 'conf', 'run', 'logs', 'temp', 'home']) await mkdir(join(dir, name));
  await copyFile(options.binary, join(dir, 'sbin/nginx'));
  await chmod(join(dir, 'sbin/nginx'), 0o755);
}

/** `words` as `user`, with nothing of our environment: an instance must not know that a test started it. */
function asUser(user: string | undefined, dir: string, words: string[]): string[] {
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const clean = ['env', '-i', path, `HOME=${join(dir, 'home')}`, ...words];
  if (user === undefined) return clean;
  const group = execFileSync('id', ['-g', user], { encoding: 'utf8' }).trim();
  return ['setpriv', `--reuid=${user}`, `--regid=${group}`, '--init-groups', ...clean];
}

function configuration(at: LocalNginxOptions & { dir: string; port: number }): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `worker_processes ${at.workers ?? 2};
pid ${at.dir}/run/nginx.pid;
lock_file ${at.dir}/run/nginx.lock;
error_log ${at.dir}/logs/error.log notice;
${at.main ?? ''}
events { worker_connections 1024; }
http {
  access_log off;
  server_tokens on;
${temp.map((name) => `  ${name}_temp_path ${at.dir}/temp/${name};`).join('\n')}
  server {
    listen 127.0.0.1:${at.port};
    add_header X-Nginx $nginx_version always;
    ${at.server ?? ''}
    location / { return 200 "ok"; }
  }
}
`;
}

async function stopNginx(dir: string): Promise<void> {
  await waitFor(`the end of all processes below ${dir}`, () => {
    const pids = processesBelow(dir);
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.length === 0;
  });
  removeWithProcesses(dir);
}
