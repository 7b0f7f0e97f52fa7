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

interface Tally {
  /** Fresh requests that were due inside spans. */
  inside: number;
  rounds: number;
  loads: LoadResult[];
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
  const tally: Tally = { inside: 0, rounds: 0, loads: [] };
  console.log(`${rate} fresh connections a second and ${KEEP_ALIVE} clients that keep theirs; systemd host, 2 workers`);
  while (tally.inside < wanted) {
    const { spans, load, limits } = await batch(site, { host: host.address, rate });
    tally.inside += Math.floor((covered(spans, limits) * rate) / 1000);
    tally.rounds += spans.length / SWITCHES_A_ROUND;
    tally.loads.push(load);
    console.log(progress(tally, wanted));
  }
  const after = await kernelCounters(host);
  for (const line of verdict(tally)) console.log(line);
  console.log(
    `kernel of the host: ${Object.entries(after)
      .map(([name, value]) => `${name} +${value - (before[name] ?? 0)}`)
      .join(', ')}`,
  );
  if (sum(tally, ({ failed }) => failed) > 0) process.exitCode = 1;
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
  const failed = sum(tally, (load) => load.failed);
  const gap = Math.max(...tally.loads.map(({ longestGapMs }) => longestGapMs));
  return `  ${inside} of ${wanted} · ${rounds * SWITCHES_A_ROUND} switches · failed ${failed} · longest gap ${gap} ms`;
}

function verdict(tally: Tally): string[] {
  const { inside, rounds, loads } = tally;
  const failed = sum(tally, (load) => load.failed);
  const bound =
    failed === 0 ? `; with 95 % certainty fewer than 3/n = ${(3 / inside).toExponential(1)} of all fail` : '';
  const answered = (version: string) => sum(tally, ({ byVersion }) => byVersion[version] ?? 0);
  const worst = (of: (load: LoadResult) => number) => Math.max(...loads.map(of));
  return [
    `${inside} fresh requests inside spans (from 1 s before a run's swap, then USR2, to 1 s after its end: old master gone), ${sum(tally, ({ sent }) => sent)} in all`,
    `in ${rounds} rounds of: upgrade, rollback after the commit (a hot upgrade back), upgrade held, rollback of that`,
    `failed: ${failed}${bound}`,
    ...loads.flatMap(({ failures }) => failures).map((failure) => `  ${failure}`),
    `longest gap ${worst(({ longestGapMs }) => longestGapMs)} ms (a request that failed or took over 250 ms, to the next good answer); latency from the due time: worst p99 ${worst(({ p99Ms }) => p99Ms)} ms, maximum ${worst(({ maxMs }) => maxMs)} ms`,
    `answered by 1.22.1: ${answered('1.22.1')}, by 1.26.3: ${answered('1.26.3')}`,
    `requests on kept connections, apart: ${sum(tally, ({ reused }) => reused.failed)} of ${sum(tally, ({ reused }) => reused.sent)} met a connection that closed at that moment (no keepalive_min_timeout here)`,
  ];
}

function sum({ loads }: Tally, of: (load: LoadResult) => number): number {
  return loads.reduce((total, load) => total + of(load), 0);
}
