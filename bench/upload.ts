import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { encoded, loadBinary } from '../src/binary/new-binary.ts';
import { parseInputs } from '../src/inputs/parse.ts';
import { type Agent, openAgent } from '../src/target/agent.ts';
import { mustRun } from '../test/support/command.ts';
import { nginxBuild } from '../test/support/nginx-builds.ts';
import { contest, heading, line, type Pair, summary } from './contest.ts';
import type { BenchOptions } from './options.ts';
import { ourProgram } from './program.ts';
import { openSite, timed, type Site } from './site.ts';

/** An nginx of 11.5 MB: our upload against scp, over connections that are there and as whole processes. */
export async function benchUpload({ count: pairs = 12 }: BenchOptions): Promise<void> {
  await using site = await openSite('bench-upload');
  const path = await nginxBuild('1.26.3', 'big');
  const show = (pair: Pair) => console.log(`            ${line(pair)}`);

  console.log(
    'over a connection that is there; ours as in an upgrade, until the target says that the file is whole and as',
  );
  console.log('it must be (digest, owner, mode, what it says to -V); scp on a kept master, which looks at nothing');
  const kept = await keepBoth(site, path);
  console.log(heading('ours', 'scp'));
  const steps = await contest(pairs, { ours: kept.step, theirs: kept.scp }, show);
  for (const text of summary(steps, { what: 'upload', ours: 'our step', theirs: 'scp' })) console.log(text);
  await kept.close();

  console.log(
    'whole processes: our "plan" (inspects the host, uploads, runs nginx -t, removes the file); scp with its login',
  );
  console.log(heading('plan', 'scp'));
  const plan = [...ourProgram(), 'plan', ...site.reach, '--binary', path, '--health-url', 'none'];
  const scp = scpWords(site, path);
  const ours = async () => (await timed(plan)).ms;
  const whole = await contest(pairs, { ours, theirs: async () => (await timed(scp)).ms }, show);
  for (const text of summary(whole, { what: 'whole process', ours: 'plan', theirs: 'scp' })) console.log(text);
}

function scpWords({ sshOptions, login }: Site, path: string, options: string[] = []): string[] {
  return ['scp', '-q', ...sshOptions, ...options, path, `${login}:/tmp/nginx.new`];
}

/** One connection for each side, and one upload over it for each call. */
async function keepBoth(site: Site, path: string) {
  const master = ['-o', `ControlPath=${join(site.dir, 'master')}`];
  const ssh = ['ssh', ...site.sshOptions, ...master];
  await mustRun([...ssh, '-M', '-N', '-f', site.login]);
  const agent = await openAgent(...(await aim(site, path)));
  const upload = await prepareUploads(agent, path);
  const scp = scpWords(site, path, master);
  return {
    step: upload,
    scp: async () => (await timed(scp)).ms,
    close: async () => {
      await agent.ask('unstage', { fields: { nonce: agent.nonce() } });
      agent.close();
      await mustRun([...ssh, '-O', 'exit', site.login]);
    },
  };
}

async function aim(site: Site, path: string): Promise<Parameters<typeof openAgent>> {
  const raw = new Map([
    ['command', 'upgrade'],
    ['targets', site.login],
    ['key', site.host.clientKey],
    ['known-hosts', site.host.knownHosts],
    ['binary', path],
    ['health-url', 'none'],
  ]);
  const { config } = await parseInputs(raw, { user: 'nobody', sshAuthSock: undefined });
  const [target] = config.targets;
  if (target === undefined) throw new Error('expected one target, found none');
  return [target, { config, cancel: new AbortController().signal, identity: { who: 'bench', run: 'bench' } }];
}

/** What `upgrade` does, again and again: to be asked for what is prepared already changes nothing on the host. */
async function prepareUploads(agent: Agent, path: string) {
  const binary = await loadBinary(path);
  const { sha256, blake2b: blake } = binary;
  const nonce = randomBytes(6).toString('hex');
  const tenths = { confirm: 6_000, ready: 150, drain: 600, hold: 6_000 };
  const versions = { old_version: '1.22.1', new_version: '1.26.3' };
  const fields = { nonce, kind: 'upgrade', sha256, blake, ...versions, need: 2, cover: 2, ...tenths, keep: 3 };
  const encoding = 'none';
  await agent.facts();
  return async (): Promise<number> => {
    await agent.ask('prepare', { fields });
    const bytes = await encoded(binary, encoding);
    const began = performance.now();
    const received = await agent.ask('receive', { fields: { nonce, encoding, size: bytes.length }, bytes });
    const checked = await agent.ask('check', { fields: { nonce, test: 'no' } });
    const bad = [received, checked].find(({ ok }) => !ok);
    if (bad !== undefined) throw new Error(`expected the upload to succeed, found ${bad.reason}: ${bad.message}`);
    return performance.now() - began;
  };
}
