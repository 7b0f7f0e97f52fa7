import { setTimeout as pause } from 'node:timers/promises';
import { nginxBuild } from '../test/support/nginx-builds.ts';
import { type LoadResult, startLoad } from '../test/support/load.ts';
import { bootHost } from '../test/support/hosts.ts';
import { productFor } from '../test/support/product.ts';
import { kernelCounters } from './kernel.ts';
import type { BenchOptions } from './options.ts';
import { ourProgram } from './program.ts';
import { covered, round, type Site, type Span, SWITCHES_A_ROUND } from './round.ts';

const BATCH = 10_000;
const KEEP_ALIVE = 10;

/** A second to another host that nobody touches: what is slow there is the machine's doing. */
const CONTROL_RATE = 50;

interface Tally {
  /** Fresh requests that were due inside spans. */
  inside: number;
  rounds: number;
  loads: LoadResult[];
  control: LoadResult[];
}

/**
 * Round after round under load (open loop, no retries) until so many fresh requests fell inside spans. A failure counts
 * wherever it falls. Exit code 1 where there is one.
 */
export async function benchDrops({ count: wanted = 300_000, rate = 600 }: BenchOptions): Promise<void> {
  if (ourProgram()[1]?.endsWith('.cjs')) process.env['NHU_ENTRY'] = 'dist';
  await using host = await bootHost('bench-drops');
  const site = { product: productFor(host), binary: await nginxBuild('1.26.3'), healthUrl: 'http://127.0.0.1/' };
  const before = await kernelCounters(host);
  await using untouched = await bootHost('bench-control');
  const tally: Tally = { inside: 0, rounds: 0, loads: [], control: [] };
  console.log(`${rate} fresh connections a second and ${KEEP_ALIVE} clients that keep theirs; systemd host, 2 workers`);
  while (tally.inside < wanted) {
    const control = await startLoad({ host: untouched.address, port: 80, rate: CONTROL_RATE });
    const { spans, load, limits } = await batch(site, { host: host.address, rate });
    tally.control.push(await control.stop());
    tally.inside += Math.min(load.sent, Math.floor((covered(spans, limits) * rate) / 1000));
    tally.rounds += spans.length / SWITCHES_A_ROUND;
    tally.loads.push(load);
    console.log(progress(tally, wanted));
  }
  const after = await kernelCounters(host);
  for (const line of verdict(tally)) console.log(line);
  const risen = Object.entries(after).map(([name, value]) => `${name} +${value - (before[name] ?? 0)}`);
  console.log(`kernel of the host: ${risen.join(', ')}`);
  if (sum(tally.loads, ({ failed }) => failed) > 0) process.exitCode = 1;
}

/** Rounds under one load until a batch of requests fell inside spans. */
async function batch(site: Site, { host, rate }: { host: string; rate: number }) {
  const load = await startLoad({ host, port: 80, rate, keepAlive: KEEP_ALIVE });
  const from = Date.now();
  const spans: Span[] = [];
  try {
    while (covered(spans, { from, to: Infinity }) * rate < BATCH * 1000) spans.push(...(await round(site)));
    // The last span ends a second after its change.
    await pause(1_000);
  } catch (error) {
    console.log(`the load until then: ${JSON.stringify(await load.stop())}`);
    throw error;
  }
  const to = Date.now();
  return { spans, load: await load.stop(), limits: { from, to } };
}

function progress(tally: Tally, wanted: number): string {
  const { inside, rounds } = tally;
  const failed = sum(tally.loads, (load) => load.failed);
  const gap = Math.max(...tally.loads.map(({ longestGapMs }) => longestGapMs));
  return `  ${inside} of ${wanted} · ${rounds * SWITCHES_A_ROUND} switches · failed ${failed} · longest gap ${gap} ms`;
}

function verdict({ inside, rounds, loads, control }: Tally): string[] {
  const total = (of: (load: LoadResult) => number) => sum(loads, of);
  const failed = total((load) => load.failed);
  const bound =
    failed === 0 ? `; with 95 % certainty fewer than 3/n = ${(3 / inside).toExponential(1)} of all fail` : '';
  const answered = (version: string) => total(({ byVersion }) => byVersion[version] ?? 0);
  const reset = total(({ reused }) => reused.failed);
  return [
    `${inside} fresh requests inside spans, ${total(({ sent }) => sent)} in all; a span is from 1 s before the change that`,
    "  begins with the swap and USR2 to 1 s after the old master's end (or the new one's, where it was taken back)",
    `in ${rounds} rounds of: upgrade, rollback after the commit (a hot upgrade back), upgrade held, rollback of that`,
    `failed: ${failed}${bound}`,
    ...loads.flatMap(({ failures }) => failures).map((failure) => `  ${failure}`),
    `stalls: ${stalls(loads)}`,
    `  beside it, on a host that nobody touched: ${stalls(control)}`,
    `answered by 1.22.1: ${answered('1.22.1')}, by 1.26.3: ${answered('1.26.3')}`,
    `on kept connections, apart: ${reset} of ${total(({ reused }) => reused.sent)} requests met a close at that very moment`,
    '  (these versions know no keepalive_min_timeout)',
  ];
}

/** Counted from the due times, so that what the load generator itself was late with is in it. */
function stalls(loads: LoadResult[]): string {
  const worst = (of: (load: LoadResult) => number) => Math.max(...loads.map(of));
  const gap = worst(({ longestGapMs }) => longestGapMs);
  const late = `worst p99 ${worst(({ p99Ms }) => p99Ms)} ms, slowest ${worst(({ maxMs }) => maxMs)} ms`;
  return `longest gap ${gap} ms (failed or over 250 ms, to the next good answer); ${late}`;
}

function sum(loads: LoadResult[], of: (load: LoadResult) => number): number {
  return loads.reduce((total, load) => total + of(load), 0);
}
