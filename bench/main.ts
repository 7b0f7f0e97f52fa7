import { loadavg, availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { benchBuild } from './build.ts';
import { benchColdStart } from './cold-start.ts';
import { benchDrops } from './drops.ts';
import { benchUpgrade } from './upgrade.ts';
import { benchUpload } from './upload.ts';

const BENCHES = {
  upgrade: benchUpgrade,
  upload: benchUpload,
  'cold-start': benchColdStart,
  build: benchBuild,
  drops: benchDrops,
};
type Name = keyof typeof BENCHES;

const USAGE = `usage: npm run bench -- [upgrade] [upload] [cold-start] [build] [drops] [--count N] [--rate N]
  upgrade     our whole upgrade of a host against the same by scp and ssh; N pairs (12)
  upload      our upload of a 10 MB binary against scp; N pairs (12)
  cold-start  from the start of the built programs to their first byte at a target; N times (15)
  build       our build of nginx against configure and make by hand; N pairs (3); then from the cache
  drops       upgrades and rollbacks under load until N fresh requests (300000) fell inside switches; --rate a second (600)`;

async function main(words: string[]): Promise<void> {
  const { names, options } = readArguments(words);
  for (const name of names) {
    const load = loadavg()[0]?.toFixed(1);
    console.log(`\n${name} (load ${load} on ${availableParallelism()} processors at the start)`);
    await BENCHES[name](options);
  }
}

function readArguments(words: string[]) {
  const { values, positionals } = parseArgs({
    args: words,
    options: { count: { type: 'string' }, rate: { type: 'string' } },
    allowPositionals: true,
  });
  const names = positionals.filter((word): word is Name => Object.hasOwn(BENCHES, word));
  if (names.length < positionals.length) throw new Error(USAGE);
  const defaults: Name[] = ['upgrade', 'upload', 'cold-start', 'build'];
  const options = { count: positive(values.count), rate: positive(values.rate) };
  return { names: names.length > 0 ? names : defaults, options };
}

function positive(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(word)) throw new Error(`expected a number from 1 up, found ${word}\n${USAGE}`);
  return Number(word);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
// A load that was still running when something failed must not keep us.
process.exit();
