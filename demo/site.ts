import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../test/support/command.ts';
import { type LocalNginx, startNginx } from '../test/support/local-nginx.ts';
import { nginxBuild } from '../test/support/nginx-builds.ts';
import { programFor, type Program } from './program.ts';
import { say, step } from './text.ts';

const root = join(import.meta.dirname, '..');

/** An nginx that serves, and the program as its user starts it. Disposing of it stops and removes both. */
export interface Site extends AsyncDisposable {
  nginx: LocalNginx;
  program: Program;
  /** Paths of the new binary and of one that fails. */
  newer: string;
  broken: string;
}

export async function openSite(): Promise<Site> {
  step('1. Two versions of nginx, and a broken one');
  const older = await built('1.22.1', () => nginxBuild('1.22.1'));
  const newer = await built('1.26.3', () => nginxBuild('1.26.3'));
  const broken = await built('1.26.3, broken', () => nginxBuild('1.26.3', 'turns-red'));

  step('2. The old one serves');
  const user = process.getuid?.() === 0 ? 'nobody' : undefined;
  const nginx = await startNginx({ binary: older, ...(user === undefined ? {} : { user }) });
  try {
    const { stdout } = await nginx.run(`${nginx.binaryPath} -v 2>&1`);
    const who = user ?? 'you';
    say(`${stdout.trim()}, master ${await nginx.masterPid()}, http://127.0.0.1:${nginx.port}/, run by ${who}`);
    say('The program runs as the same user: no root is needed for any of this.');
    say(`It lies in ${nginx.dir}; the program replaces ${nginx.binaryPath}.`);
    return { nginx, ...(await unpack(nginx, { newer, broken })), [Symbol.asyncDispose]: () => nginx.stop() };
  } catch (error) {
    await nginx.stop();
    throw error;
  }
}

async function built(name: string, build: () => Promise<string>): Promise<string> {
  say(`nginx ${name}, from its source (half a minute where no earlier run has built it)`);
  const start = performance.now();
  const path = await build();
  const seconds = (performance.now() - start) / 1000;
  say(`  ${path} (${seconds < 1 ? 'was there' : `built in ${seconds.toFixed(0)} s`})`);
  return path;
}

/** The user of the instance may have no access to this folder (a clone below /root), so all it needs is copied. */
async function unpack(nginx: LocalNginx, binaries: { newer: string; broken: string }) {
  const dir = join(nginx.dir, 'program');
  const reports = join(nginx.dir, 'reports');
  const at = { newer: join(dir, 'nginx-1.26.3'), broken: join(dir, 'nginx-1.26.3-broken') };
  await mkdir(dir);
  await mkdir(reports);
  await copyFile(binaries.newer, at.newer);
  await copyFile(binaries.broken, at.broken);
  await copyFile(process.execPath, join(dir, 'node'));
  if (!existsSync(join(root, 'dist/cli.cjs')))
    throw new Error('expected dist/cli.cjs, found nothing: run "npm run build"');
  await cp(join(root, 'dist'), join(dir, 'dist'), { recursive: true });
  if (nginx.user !== undefined) await mustRun(['chown', '-R', `${nginx.user}:`, dir, reports]);
  const program = programFor(nginx, { node: join(dir, 'node'), entry: join(dir, 'dist/cli.cjs'), reports });
  return { ...at, program };
}
