import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { encoded, loadBinary, type NewBinary } from '../src/binary/new-binary.ts';
import { parseInputs } from '../src/inputs/parse.ts';
import { type Agent, openAgent } from '../src/target/agent.ts';
import { mustRun } from '../test/support/command.ts';
import { nginxBuild } from '../test/support/nginx-builds.ts';
import { type Contenders, contest, heading, line, summary } from './contest.ts';
import type { BenchOptions } from './options.ts';
import { ourProgram } from './program.ts';
import { openSite, timed, type Site } from './site.ts';

/** An nginx of 11.5 MB: our upload against `scp` of the same file. Ours ends when the target has found the file whole. */
export async function benchUpload({ count: pairs = 12 }: BenchOptions): Promise<void> {
  await using site = await openSite('bench-upload');
  const path = await nginxBuild('1.26.3', 'big');
  const show = async (what: string, sides: Contenders) => {
    console.log(`${what}\n${heading('ours', 'scp')}`);
    const all = await contest(pairs, sides, (pair) => console.log(`            ${line(pair)}`));
    for (const text of summary(all, { what: 'upload', ours: 'ours', theirs: 'scp' })) console.log(text);
  };
  const scp = scpWords(site, path);
  const theirs = async () => (await timed(scp)).ms;
  const once = await uploadsWithLogin(site, path);
  await show('each with a login of its own; ours from the first byte to the host until the file is whole there', {
    ours: once,
    theirs,
  });
  const plan = [...ourProgram(), 'plan', ...site.reach, '--binary', path, '--health-url', 'none'];
  await show('whole processes: our "plan", which also inspects the host, runs nginx -t and removes the file', {
    ours: async () => (await timed(plan)).ms,
    theirs,
  });
  const kept = await keepBoth(site, path);
  await show('over connections that are there: our upload with its digest, scp on a kept master without one', kept);
  await kept.close();
}

function scpWords({ sshOptions, login }: Site, path: string, options: string[] = []): string[] {
  return ['scp', '-q', ...sshOptions, ...options, path, `${login}:/tmp/nginx.new`];
}

async function uploadsWithLogin(site: Site, path: string): Promise<() => Promise<number>> {
  const aimed = await aim(site, path);
  const binary = await loadBinary(path);
  return async () => {
    const began = performance.now();
    const agent = await openAgent(...aimed);
    await prepare(agent, binary);
    await upload(agent, binary);
    const ms = performance.now() - began;
    await withdraw(agent);
    return ms;
  };
}

/** One connection for each side, and one upload over it for each call. */
async function keepBoth(site: Site, path: string) {
  const master = ['-o', `ControlPath=${join(site.dir, 'master')}`];
  const ssh = ['ssh', ...site.sshOptions, ...master];
  await mustRun([...ssh, '-M', '-N', '-f', site.login]);
  const agent = await openAgent(...(await aim(site, path)));
  const binary = await loadBinary(path);
  await prepare(agent, binary);
  const scp = scpWords(site, path, master);
  return {
    ours: async () => {
      const began = performance.now();
      await upload(agent, binary);
      return performance.now() - began;
    },
    theirs: async () => (await timed(scp)).ms,
    close: async () => {
      await withdraw(agent);
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

/** As `upgrade` does it: facts, then lock, books, directory and guard. */
async function prepare(agent: Agent, { sha256, blake2b: blake }: NewBinary): Promise<void> {
  await agent.facts();
  const tenths = { confirm: 6_000, ready: 150, drain: 600, hold: 6_000 };
  const versions = { old_version: '1.22.1', new_version: '1.26.3' };
  const nonce = randomBytes(6).toString('hex');
  const fields = { nonce, kind: 'upgrade', sha256, blake, ...versions, need: 2, cover: 2, ...tenths, keep: 3 };
  await agent.ask('prepare', { fields });
}

async function upload(agent: Agent, binary: NewBinary): Promise<void> {
  const encoding = 'none';
  const bytes = await encoded(binary, encoding);
  const fields = { nonce: agent.nonce(), encoding, size: bytes.length, whole: binary.size };
  const answer = await agent.ask('receive', { fields, bytes });
  if (!answer.ok) throw new Error(`expected the upload to succeed, found ${answer.reason}: ${answer.message}`);
}

async function withdraw(agent: Agent): Promise<void> {
  await agent.ask('unstage', { fields: { nonce: agent.nonce() } });
  agent.close();
}
