import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../test/support/command.ts';
import { fakeKey } from '../test/support/host-keys.ts';
import { nginxBuild } from '../test/support/nginx-builds.ts';
import { listening } from '../test/support/tcp-server.ts';
import { ownTempDir } from '../test/support/temp-dir.ts';
import { quantile, repeat } from './contest.ts';
import type { BenchOptions } from './options.ts';
import { root } from './program.ts';
import { nothingCompiled } from './site.ts';

const GOAL_MS = 250;

/** From the start of the process to the first byte that a target receives. Here the target only listens. */
export async function benchColdStart({ count: times = 15 }: BenchOptions): Promise<void> {
  const inputs = await inputsOfAnUpgrade();
  const nodeAlone = quantile(await repeat(times, () => untilExit(['-e', '0'])));
  console.log(`node alone, start to end: ${nodeAlone.toFixed(0)} ms; medians of ${times}`);
  for (const entry of ['cli', 'action'] as const) {
    const file = join(root, `dist/${entry}.cjs`);
    if (!existsSync(file)) throw new Error(`expected ${file}, found nothing: run "npm run build" first`);
    const start = async () => untilFirstByte({ entry, file, inputs, env: await nothingCompiled() });
    const ms = quantile(await repeat(times, start));
    const goal = ms < GOAL_MS ? `under ${GOAL_MS} ms` : `NOT under ${GOAL_MS} ms`;
    console.log(`cold start of dist/${entry}.cjs to the first byte sent: ${ms.toFixed(0)} ms, ${goal}`);
  }
}

type Inputs = Record<string, string>;

/** All inputs of an upgrade but for the target. */
export async function inputsOfAnUpgrade(): Promise<Inputs> {
  const key = join(ownTempDir(), 'key');
  await mustRun(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
  return {
    fingerprint: fakeKey('ssh-ed25519').fingerprint,
    key: await readFile(key, 'utf8'),
    binary: await nginxBuild('1.26.3'),
    'health-url': 'http://127.0.0.1/',
  };
}

export interface Start {
  entry: 'cli' | 'action';
  file: string;
  inputs: Inputs;
  env: NodeJS.ProcessEnv;
}

/** Milliseconds. Throws, with its output, where the program ends before it says anything to its target. */
export async function untilFirstByte({ entry, file, inputs, env: own }: Start): Promise<number> {
  const { promise: arrived, resolve } = Promise.withResolvers<number>();
  await using target = await listening((socket) => socket.once('data', () => resolve(performance.now())));
  const all = { ...inputs, targets: `somebody@127.0.0.1:${target.port}` };
  const { words, env } = entry === 'cli' ? asCommandLine(all) : asAction(all);
  const start = performance.now();
  const child = spawn(process.execPath, [file, ...words], { env: { PATH: process.env['PATH'], ...own, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes));
  const ended = once(child, 'close').then((): never => {
    throw new Error(`expected a byte for the target, found the program's end:\n${output}`);
  });
  try {
    return (await Promise.race([arrived, ended])) - start;
  } finally {
    ended.catch(() => {});
    child.kill('SIGKILL');
  }
}

function asCommandLine({ key = '', ...inputs }: Inputs): { words: string[]; env: Inputs } {
  const words = Object.entries(inputs).flatMap(([name, value]) => [`--${name}`, value]);
  return { words: ['upgrade', ...words], env: { NGINX_HOT_UPGRADE_KEY: key } };
}

/** As a runner hands inputs over. */
function asAction(inputs: Inputs): { words: string[]; env: Inputs } {
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  return { words: [], env: Object.fromEntries(variables) };
}

async function untilExit(words: string[]): Promise<number> {
  const start = performance.now();
  await once(spawn(process.execPath, words, { stdio: 'ignore' }), 'close');
  return performance.now() - start;
}
