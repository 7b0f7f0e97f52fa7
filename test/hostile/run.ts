/**
 * Hostile local state, as long as you like: `node test/hostile/run.ts COUNT [FIRST]`. Each number from FIRST on is a case, the same on
 * every machine; HOSTS of them at once on a host each. Prints what is wrong at once, and how everything ended at the end.
 */
import { appendFileSync } from 'node:fs';
import { bootHost } from '../support/hosts.ts';
import { hostileCase } from './case.ts';
import { judge, prepareHostile, type Verdict } from './judge.ts';

const [count = 100, first = 1] = process.argv.slice(2).map(Number);
const hosts = Number(process.env['HOSTS'] ?? 2);
const last = first + count;
let next = first;
const endings = new Map<string, number>();
const bad: Verdict[] = [];

await Promise.all(Array.from({ length: hosts }, (_, index) => work(`hostile-${index}`)));
for (const [ending, times] of [...endings].sort(([, a], [, b]) => b - a))
  console.log(`${String(times).padStart(6)}  ${ending}`);
console.log(`${count} cases from ${first}, ${bad.length} with violations${bad.map(({ seed }) => ` ${seed}`).join('')}`);
process.exitCode = bad.length === 0 ? 0 : 1;

async function work(name: string): Promise<void> {
  await using host = await bootHost(name);
  let stage = await prepareHostile(host);
  while (next < last) {
    const seed = next++;
    const verdict = await judge(stage, hostileCase(seed)).catch((error: unknown) => broken(seed, error));
    for (const line of verdict.story.filter((each) => !each.startsWith(' ')).slice(1)) {
      const ending = line.replace(/ in \d+ ms$/, '');
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
    }
    if (process.env['LOG']) appendFileSync(process.env['LOG'], `${seed} ${verdict.story.join(' | ')}\n`);
    if (verdict.violations.length > 0) {
      bad.push(verdict);
      console.log(`case ${seed}\n  ${[...verdict.story, ...verdict.violations].join('\n  ')}`);
      await host.reset();
      stage = await prepareHostile(host);
    }
    if ((seed - first + 1) % 50 === 0) console.log(`${seed - first + 1} of ${count}`);
  }
}

function broken(seed: number, error: unknown): Verdict {
  return {
    seed,
    story: ['the case itself'],
    violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  };
}
