import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { sourceMirror } from '../test/support/mirror.ts';
import { CONFIGURE } from '../test/support/nginx-builds.ts';
import { nginxTarball } from '../test/support/nginx-source.ts';
import { ownTempDir } from '../test/support/temp-dir.ts';
import { contest, heading, line, quantile, repeat, summary } from './contest.ts';
import type { BenchOptions } from './options.ts';
import { ourProgram } from './program.ts';
import { timed } from './site.ts';

/** Our `build`, which also checks the signature, against `./configure && make -jN` of the same tarball by hand. */
export async function benchBuild({ count: pairs = 3 }: BenchOptions): Promise<void> {
  const dir = ownTempDir();
  const tarball = await nginxTarball('1.26.3');
  const { url } = await sourceMirror();
  const ours = [...ourProgram(), 'build', '--nginx-version', '1.26.3', '--source-url', url];
  ours.push('--configure-args', CONFIGURE.join('\n'));
  const byHand = ['sh', '-c', BY_HAND, 'by-hand', tarball, String(availableParallelism()), ...CONFIGURE];
  const emptyCache = async () => ({ RUNNER_TOOL_CACHE: await mkdtemp(join(dir, 'tools-')) });
  const sides = {
    ours: async () => (await timed(ours, await emptyCache())).ms,
    theirs: async () => {
      const { ms, stdout } = await timed(byHand);
      await rm(stdout.trim(), { recursive: true });
      return ms;
    },
  };
  console.log(heading('ours', 'by hand'));
  const all = await contest(pairs, sides, (pair) => console.log(`            ${line(pair)}`));
  for (const text of summary(all, { what: 'build', ours: 'ours', theirs: 'by hand' })) console.log(text);
  const filled = await emptyCache();
  const again = await repeat(5, async () => (await timed(ours, filled)).ms);
  console.log(`from the cache: ${quantile(again).toFixed(0)} ms (median of ${again.length})`);
}

const BY_HAND = `tarball=$1 jobs=$2; shift 2
dir=$(mktemp -d) && cd "$dir" && tar -xzf "$tarball" --strip-components=1 &&
  ./configure "$@" >/dev/null && make "-j$jobs" >/dev/null 2>&1 && echo "$dir"`;
