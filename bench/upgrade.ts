import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostResult, RunReport } from '../src/report/result.ts';
import { nginxBuild } from '../test/support/nginx-builds.ts';
import { contest, heading, line, quantile, summary } from './contest.ts';
import type { BenchOptions } from './options.ts';
import { ourProgram, root } from './program.ts';
import { countRequests } from './request-count.ts';
import { nothingCompiled, openSite, timed, type Site } from './site.ts';

const PLAIN_SCRIPT = join(root, 'bench/plain-script.sh');

/** One systemd host, a login that is not root, no bake time, one probe: our program against bench/plain-script.sh. */
export async function benchUpgrade({ count: pairs = 12 }: BenchOptions): Promise<void> {
  await using site = await openSite('bench');
  const upgrades = await alternately(site);
  const phases: HostResult['phases'][] = [];
  const ours = async () => {
    const { ms, stdout } = await upgrades(ourWords(site));
    phases.push((await reportOf(stdout)).hosts[0]?.phases ?? []);
    return ms;
  };
  const theirs = async () => (await upgrades(scriptWords(site))).ms;
  console.log(heading('ours', 'script'));
  const all = await contest(pairs, { ours, theirs }, (pair) => console.log(`            ${line(pair)}`));
  for (const text of summary(all, { what: 'upgrade', ours: 'our program', theirs: 'scp+ssh script' }))
    console.log(text);
  const fresh: number[] = [];
  while (fresh.length < 4) {
    const { ms } = await upgrades(ourWords(site), await nothingCompiled());
    fresh.push(ms);
    await upgrades(scriptWords(site));
  }
  const script = quantile(all.map((pair) => pair.theirs));
  const cold = quantile(fresh);
  console.log(
    `with nothing compiled before (a fresh CI machine): ${cold.toFixed(0)} ms, ratio ${(cold / script).toFixed(2)}`,
  );
  console.log(`where our time goes, medians in ms: ${phaseMedians(phases)}`);
  const counted = await countRequests(site, async (sudo) => {
    await upgrades((binary) => [...ourWords(site)(binary), '--sudo', sudo]);
  });
  console.log(`request/answer pairs after login, uploads and probes apart: ${counted.length} (${counted.join(', ')})`);
}

type Words = (binary: string) => string[];

/** Whoever is called upgrades to the version that does not serve, so that both go both ways equally often. */
async function alternately({ host }: Site) {
  const versions = ['1.22.1', '1.26.3'] as const;
  const binaries = [await nginxBuild(versions[0]), await nginxBuild(versions[1])];
  let now = 0;
  return async (words: Words, env: NodeJS.ProcessEnv = {}) => {
    now = 1 - now;
    const result = await timed(words(binaries[now] ?? ''), env);
    const answer = await fetch(`http://${host.address}/`, { headers: { connection: 'close' } });
    const version = answer.headers.get('x-nginx');
    if (version !== versions[now]) throw new Error(`expected ${versions[now]} to serve, found ${version}`);
    return result;
  };
}

function ourWords(site: Site): Words {
  const program = ourProgram();
  const probe = ['--health-url', 'http://127.0.0.1/', '--health-successes', '1', '--bake-time', '0s'];
  return (binary) => [...program, 'upgrade', ...site.reach, '--binary', binary, ...probe, '--allow-downgrade', 'true'];
}

function scriptWords({ host, login, knownHostsPath }: Site): Words {
  return (binary) => ['bash', PLAIN_SCRIPT, login, host.clientKeyPath, knownHostsPath, binary];
}

async function reportOf(output: string): Promise<RunReport> {
  const path = /^report: (.+)$/m.exec(output)?.[1];
  if (path === undefined) throw new Error(`expected our program to name its report, found:\n${output}`);
  return JSON.parse(await readFile(path, 'utf8'));
}

function phaseMedians(runs: HostResult['phases'][]): string {
  const names = [...new Set(runs.flat().map(({ name }) => name))];
  const times = (name: string) =>
    runs.map((run) => run.filter((each) => each.name === name).reduce((sum, { ms }) => sum + ms, 0));
  return names.map((name) => `${name} ${quantile(times(name)).toFixed(0)}`).join(', ');
}
