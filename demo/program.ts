import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { HostResult, RunReport } from '../src/report/result.ts';
import type { LocalNginx } from '../test/support/local-nginx.ts';
import { quote, say } from './text.ts';

/** The real command line program, aimed at one local nginx and run as the user of that. */
export interface Program {
  /** Runs it and shows what it says as it says it. */
  show(command: string, ...words: string[]): Promise<{ code: number | null; host: HostResult }>;
  /** Paths of the reports so far. */
  reports(): string[];
}

interface Place {
  node: string;
  entry: string;
  /** Folder for the reports. */
  reports: string;
}

export function programFor(nginx: LocalNginx, { node, entry, reports }: Place): Program {
  const written: string[] = [];
  const env = { PATH: process.env['PATH'], HOME: nginx.home, TMPDIR: reports };
  return {
    reports: () => [...written],
    async show(command, ...own) {
      const words = [command, '--targets', 'local', '--pid-file', nginx.pidFile, ...own];
      say(`$ nginx-hot-upgrade ${words.map((word) => (word.startsWith('/') ? basename(word) : word)).join(' ')}`);
      const { code, lines } = await shown([...asUser(nginx.user), node, entry, ...words], env);
      const path = lines.map((line) => /^report: (.+)$/.exec(line)?.[1]).find((found) => found !== undefined);
      if (path === undefined) throw new Error('expected the program to write a report, found no line that names it');
      written.push(path);
      return { code, host: await hostIn(path) };
    },
  };
}

async function shown(words: string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; lines: string[] }> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (): void => void child.kill();
  process.once('exit', stop);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      quote(line);
    });
  }
  await once(child, 'close');
  process.removeListener('exit', stop);
  return { code: child.exitCode, lines };
}

async function hostIn(path: string): Promise<HostResult> {
  const report: RunReport = JSON.parse(await readFile(path, 'utf8'));
  const [host] = report.hosts;
  if (host === undefined) throw new Error(`expected one target in ${path}, found none`);
  return host;
}

function asUser(user: string | undefined): string[] {
  if (user === undefined) return [];
  const group = execFileSync('id', ['-g', user], { encoding: 'utf8' }).trim();
  return ['setpriv', `--reuid=${user}`, `--regid=${group}`, '--init-groups'];
}
