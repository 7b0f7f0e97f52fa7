import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from 'node:os';
import type { BuildSource } from '../config.ts';
import { newBinary, type NewBinary } from '../binary/new-binary.ts';
import { type ArgsPlan, planArgs } from '../build/arguments.ts';
import { build } from '../build/build.ts';
import { sourcesMissing } from '../build/loaded-modules.ts';
import { type ModuleTree, readModule } from '../build/third-party.ts';
import { readToolchain, type Toolchain } from '../build/toolchain.ts';
import { Refused } from '../errors.ts';
import { diffArgs, diffLines } from '../nginx/args-diff.ts';
import { parseBuildInfo } from '../nginx/build-info.ts';
import type { Logger } from '../report/logger.ts';
import { fetchRelease, type Release } from '../source/release.ts';
import { resolveVersion } from '../source/mirror.ts';
import type { MasterFacts } from '../target/facts.ts';
import { findEntry, keyOf, storeEntry } from './cache.ts';
import { refuse } from './refusal.ts';
import { once, type Source, type SupplyOptions } from './supply.ts';

/** Builds nginx, once for each set of arguments. */
export function openWorkshop(source: BuildSource, options: SupplyOptions): Source {
  const built = new Map<string, Promise<NewBinary>>();
  const bench = once(() => prepare(source));
  const jobFor = async (master: MasterFacts | null): Promise<Job> => {
    const plan = planFor(source, master);
    refuseLostModules(plan, { master, version: (await bench()).version });
    return { bench: await bench(), plan, key: keyOf(partsOf(await bench(), plan)), log: options.log };
  };
  return {
    for: async (master) => {
      const job = await jobFor(master);
      const known = built.get(job.key);
      if (known !== undefined) return known;
      tell(job, master);
      const made = obtain(job);
      built.set(job.key, made);
      return made;
    },
    atHand: async (master) => {
      const job = await jobFor(master);
      tell(job, master);
      const entry = await findEntry(job.bench.version, job.key);
      return entry === undefined ? undefined : newBinary(entry);
    },
  };
}

/** One set of arguments. */
interface Job {
  bench: Bench;
  plan: ArgsPlan;
  key: string;
  log: Logger;
}

/** What all builds of a run share. */
interface Bench {
  version: string;
  toolchain: Toolchain;
  modules: ModuleTree[];
  release: () => Promise<Release>;
}

async function prepare(source: BuildSource): Promise<Bench> {
  const [version, toolchain, modules] = await Promise.all([
    resolveVersion(source.wish, source.mirror),
    readToolchain(),
    Promise.all(source.modules.map(readModule)),
  ]);
  return { version, toolchain, modules, release: once(() => fetchRelease(version, source)) };
}

/** Throws Refused where the running binary cannot be followed. */
function planFor(source: BuildSource, master: MasterFacts | null): ArgsPlan {
  const inherited = source.arguments === 'inherit';
  if (inherited && master !== null) refuseStranger(master);
  const base = source.arguments === 'inherit' ? parseBuildInfo(master?.build ?? '').arguments : source.arguments;
  const from = inherited ? 'target' : 'user';
  const { extra, omit, modules } = source;
  const plan = planArgs({ base, from, extra, omit, modules, exists: existsSync });
  if (Array.isArray(plan)) throw new Refused(plan);
  return plan;
}

function refuseLostModules(plan: ArgsPlan, { master, version }: { master: MasterFacts | null; version: string }): void {
  // A module of the very same version may fit as it is: loading it there tells.
  if (master === null || parseBuildInfo(master.build).version === version) return;
  const finding = sourcesMissing(master.modules, plan);
  if (finding !== undefined) throw new Refused([finding]);
}

/** nginx's sources do not make another server, and this machine's compiler no program for another processor. */
function refuseStranger(master: MasterFacts): void {
  const { flavour } = parseBuildInfo(master.build);
  if (flavour !== 'nginx') {
    throw refuse(
      'flavour-differs',
      `the running server is ${flavour || 'unknown'}; what can be built from nginx's sources does not take over its sockets`,
      'Build its next version in an earlier step and give it as `binary`.',
    );
  }
}

function partsOf({ version, toolchain, modules }: Bench, plan: ArgsPlan) {
  return {
    builder: builderDigest(),
    version,
    arguments: plan.args,
    modules: modules.map(({ source: { name }, digest }) => [name, digest]),
    platform: `${machine()} ${process.platform}`,
    toolchain: toolchain.fingerprint,
  };
}

/** Another way to build may make other bytes of the same parts. */
function builderDigest(): string {
  return keyOf({ program: readFileSync(fileURLToPath(import.meta.url), 'utf8') });
}

async function obtain({ bench, plan, key, log }: Job): Promise<NewBinary> {
  const { version, toolchain } = bench;
  const known = await findEntry(version, key);
  if (known !== undefined) {
    log.info(`nginx ${version} comes from the cache (${known.path})`);
    return newBinary(known);
  }
  const release = await bench.release();
  for (const { message, fix } of release.warnings) log.warning(`${message}. ${fix}`);
  log.info(`nginx ${version}: ${release.vouched}`);
  const treesOf = (sources: ArgsPlan['placed']) => bench.modules.filter(({ source }) => sources.includes(source));
  const [placed, unplaced] = [treesOf(plan.placed), treesOf(plan.unplaced)];
  const start = performance.now();
  const built = await build({ release, args: plan.args, placed, unplaced, toolchain, log });
  log.info(`built nginx ${version} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return newBinary(await storeEntry(built, { version, key }));
}

/** What became of the running binary's arguments. */
function tell({ plan, log }: Job, master: MasterFacts | null): void {
  if (master !== null)
    for (const line of diffLines(diffArgs(parseBuildInfo(master.build).arguments, plan.args))) log.info(line);
  for (const { arg, became, why } of plan.changes) log.info(`  ${arg || '(new)'} → ${became ?? 'left out'}: ${why}`);
}
