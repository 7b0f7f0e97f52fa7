import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostResult, RunReport } from '../../src/report/result.ts';
import type { TestHost } from './hosts.ts';
import type { LocalNginx } from './local-nginx.ts';
import { ownTempDir } from './temp-dir.ts';

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');

/** No test asks for a run that is longer. */
const LONGEST_RUN_MS = 75_000;
/** One that builds nginx, on a machine of two cores that serves load beside. */
const LONGEST_BUILD_MS = 300_000;

/** The command line program as its users start it, for one target. NHU_ENTRY=dist takes the built one. */
export interface Product {
  /** Where it keeps reports and what it built. */
  home: string;
  start(command: string, ...words: string[]): Running;
  /** Starts it and waits for its end. */
  run(command: string, ...words: string[]): Promise<Finished>;
}

export interface Running {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Waits for something that must happen while it runs; rejects, with its output, where it ends before. */
  until<T>(event: Promise<T>): Promise<T>;
  ended: Promise<Finished>;
}

export interface Finished {
  /** Null where a signal ended it. */
  code: number | null;
  /** Both streams as they came. */
  output: string;
  /** Milliseconds from start to end. */
  ms: number;
  /** Throws, with the output, where no report was written. */
  report: RunReport;
  /** The one target of the report. */
  host: HostResult;
}

interface ProductOptions {
  /** Words before the program: how to become the user that runs it. */
  as?: string[];
  /** Where the reports go; ours to remove. */
  reports?: string;
  /** Words that every command is given. */
  words: string[];
}

export type Inputs = Record<string, string>;

/** Words of a switch with probes that takes two seconds; `over` adds inputs and replaces some. */
export function quick(over: Inputs = {}): string[] {
  const usual = { 'health-interval': '200ms', 'health-timeout': '1s', 'health-successes': '3', 'bake-time': '1s' };
  return wordsOf({ 'health-url': 'http://127.0.0.1/', ...usual, ...over });
}

function wordsOf(inputs: Inputs): string[] {
  return Object.entries(inputs).flatMap(([name, value]) => [`--${name}`, value]);
}

/** The program against `host`, logged in as its user; `over` replaces single inputs. */
export function productFor(host: TestHost, over: Inputs = {}): Product {
  const inputs = {
    targets: `${host.user}@${host.address}`,
    key: `@${host.clientKeyPath}`,
    'known-hosts': host.knownHosts,
    ...over,
  };
  return product({ words: wordsOf(inputs) });
}

/** The program as the user of the instance on this very machine. */
export function productAt(nginx: LocalNginx, as: string[] = []): Product {
  const settings = { as, reports: nginx.home, words: ['--targets', 'local', '--pid-file', nginx.pidFile] };
  return product(settings);
}

function product({ as = [], reports = ownTempDir(), words: always }: ProductOptions): Product {
  const entry = process.env['NHU_ENTRY'] === 'dist' ? 'dist/cli.cjs' : 'src/cli.ts';
  const env = { PATH: process.env['PATH'], HOME: reports, RUNNER_TEMP: reports };
  const start = (command: string, ...own: string[]): Running => {
    const [program = '', ...args] = [...as, node, join(root, entry), command, ...always, ...own];
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = (): void => void child.kill('SIGKILL');
    process.once('exit', stop);
    const longest = own.includes('--nginx-version') ? LONGEST_BUILD_MS : LONGEST_RUN_MS;
    const ended = finish(child, longest).finally(() => process.removeListener('exit', stop));
    const endsEarly = ended.then(({ output }): never => {
      throw new Error(`expected the program to run on, found its end:\n${output}`);
    });
    endsEarly.catch(() => {});
    return {
      pid: child.pid ?? 0,
      kill: (signal) => void child.kill(signal),
      until: (event) => Promise.race([event, endsEarly]),
      ended,
    };
  };
  return { home: reports, start, run: async (command, ...own) => start(command, ...own).ended };
}

async function finish(child: ChildProcess, longest: number): Promise<Finished> {
  const start = performance.now();
  let output = '';
  const watchdog = setTimeout(() => {
    output += `\nexpected the program to end within ${longest} ms, killed it\n`;
    child.kill('SIGKILL');
  }, longest);
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (output += bytes));
  await once(child, 'close');
  clearTimeout(watchdog);
  const ms = Math.round(performance.now() - start);
  const path = /^report: (.+)$/m.exec(output)?.[1];
  const report: RunReport | undefined = path === undefined ? undefined : JSON.parse(await readFile(path, 'utf8'));
  const written = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error(`expected a report, found:\n${output}`);
    return part;
  };
  return {
    code: child.exitCode,
    output,
    ms,
    get report() {
      return written(report);
    },
    get host() {
      return written(report?.hosts[0]);
    },
  };
}
