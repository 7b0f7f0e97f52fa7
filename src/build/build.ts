import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { exec } from '@actions/exec';
import { messageOf, Refused } from '../errors.ts';
import { parseBuildInfo } from '../nginx/build-info.ts';
import { type ConfigureArgs, printArgs, valueIn } from '../nginx/configure-args.ts';
import { cleanEnvironment, runTool } from '../obtain/tools.ts';
import type { Logger } from '../report/logger.ts';
import { type Release, unpackRelease } from '../source/release.ts';
import { placeOf } from './arguments.ts';
import { explainFailure } from './failure.ts';
import type { ModuleTree } from './third-party.ts';
import type { Toolchain } from './toolchain.ts';

export interface Order {
  release: Release;
  args: ConfigureArgs;
  /** Modules that the arguments name. */
  placed: ModuleTree[];
  /** Modules that they do not name, built as files of their own. */
  unplaced: ModuleTree[];
  toolchain: Toolchain;
  log: Logger;
}

/** A file that was built. */
export interface Product {
  name: string;
  bytes: Buffer;
}

export interface Built {
  nginx: Buffer;
  /** Dynamic modules, by their names such as `ngx_stream_module.so`. */
  modules: Product[];
}

/** Builds in a private directory, of which nothing shows in the result. Throws Refused (`build-failed`, `build-dependency`). */
export async function build(order: Order): Promise<Built> {
  const tree = await mkdtemp(join(scratch(), 'nginx-build-'));
  try {
    await unpackRelease(order.release, tree);
    for (const module of [...order.placed, ...order.unplaced]) await module.placeAt(join(tree, placeOf(module.source)));
    await order.log.group(`build nginx ${order.release.version}`, () => compile(order, tree));
    return await collect(order, tree);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** configure and make do not get along with blanks in a path. */
function scratch(given = process.env['RUNNER_TEMP']): string {
  return given === undefined || given === '' || /\s/.test(given) ? tmpdir() : given;
}

const EXTRA = 'objs-modules';

async function compile(order: Order, tree: string): Promise<void> {
  const jobs = `-j${availableParallelism()}`;
  await step('configure', { words: ['sh', './configure', ...order.args], order, tree });
  await step('make', { words: ['make', jobs], order, tree });
  if (order.unplaced.length === 0) return;
  const added = order.unplaced.map(({ source }) => `--add-dynamic-module=${placeOf(source)}`);
  const own = order.args.filter((arg) => !arg.startsWith('--builddir='));
  await step('configure', {
    words: ['sh', './configure', ...own, ...added, `--builddir=${EXTRA}`],
    order,
    tree,
  });
  await step('make', { words: ['make', jobs, '-f', `${EXTRA}/Makefile`, 'modules'], order, tree });
}

interface Step {
  words: string[];
  order: Order;
  tree: string;
}

/** Its output goes into the folded log; what was decisive in it, into the error. */
async function step(name: 'configure' | 'make', { words: [program = '', ...args], order, tree }: Step): Promise<void> {
  const { toolchain, log } = order;
  // Not in CFLAGS: with any of these set, configure leaves its own out (auto/cc/conf). `--with-cc` beats this.
  const env = { ...cleanEnvironment(), CC: ['cc', toolchain.prefixMap(tree)].filter(Boolean).join(' ') };
  let output = '';
  const take = (line: string): void => {
    output += `${line}\n`;
    log.detail(line);
  };
  const options = { cwd: tree, env, silent: true, ignoreReturnCode: true, listeners: { stdline: take, errline: take } };
  const code = await exec(program, args, options).catch((error: unknown) => {
    output += messageOf(error);
    return 127;
  });
  if (code !== 0) throw new Refused([explainFailure({ step: name, output, osRelease: toolchain.osRelease })]);
}

async function collect({ args, release }: Order, tree: string): Promise<Built> {
  const objects = join(tree, valueIn(args, '--builddir') ?? 'objs');
  const program = join(objects, 'nginx');
  await chmod(program, 0o755);
  const said = parseBuildInfo(await saidBy(program));
  if (said.version !== release.version || printArgs(said.arguments) !== printArgs(args)) {
    const message = `the new nginx says ${said.version} with ${printArgs(said.arguments)}; expected ${release.version} with ${printArgs(args)}`;
    throw new Refused([
      { code: 'build-failed', message, fix: 'Report this: the arguments were not taken as they were given.' },
    ]);
  }
  return {
    nginx: await readFile(program),
    modules: [...(await modulesIn(objects)), ...(await modulesIn(join(tree, EXTRA)))],
  };
}

/** `nginx -V` writes to the error stream. */
async function saidBy(program: string): Promise<string> {
  return runTool(['sh', '-c', '"$1" -V 2>&1', 'sh', program]);
}

async function modulesIn(directory: string): Promise<Product[]> {
  const names = await readdir(directory).catch(() => []);
  const files = names.filter((name) => name.endsWith('.so')).map((name) => join(directory, name));
  return Promise.all(files.map(async (file) => ({ name: basename(file), bytes: await readFile(file) })));
}
