import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { encoded, type NewBinary, type NewModule } from '../binary/new-binary.ts';
import { type Answer, fieldsOf } from '../target/answer.ts';
import { parseBuildInfo, type BuildInfo } from '../nginx/build-info.ts';
import { orCancelled } from './cancellation.ts';
import { Cancelled, mustSucceed } from './errors.ts';
import { type Inspected, phase } from './host-run.ts';
import { rulesOf, settle } from './inspect.ts';
import { wantedWorkers } from './workers.ts';
import { judgeCandidate, judgeFinding } from './preflight/preflight.ts';
import { noteLeft, rehearse, settleTest } from './rehearsing.ts';

/** The file that the master shall run next: a new one from the runner, or a retained one that lies on the target. */
export interface Staged {
  kind: 'upgrade' | 'reverse' | 'plan';
  sha256: string;
  /** What is known of it before it has run on the target; without version where nothing is. */
  build: BuildInfo;
}

/** Above this, the link is no local network and gzip is faster than sending plain bytes. */
const COMPRESS_FROM_MS = 4;

/**
 * Lock, books and guard on the target, then the file, then its own word on the host. From here on the target cleans up
 * after itself. Throws Refused with nothing left behind.
 */
export async function stage(run: Inspected, file: Staged): Promise<BuildInfo> {
  return phase(run, 'stage', async () => {
    const { prepared, sent, checked } = await askAtOnce(run, file);
    mustSucceed(await orCancelled(run.cancel, () => prepared), run.result);
    try {
      // One after the other: the first that is refused is the one to tell of.
      for (const arrival of sent) mustSucceed(await orCancelled(run.cancel, () => arrival), run.result);
      const answer = mustSucceed(await orCancelled(run.cancel, () => checked), run.result);
      const build = await judge(run, { file, answer });
      if (run.config.switch.rehearse && file.kind === 'upgrade') await rehearse(run, build);
      return build;
    } catch (error) {
      // A cancelled run leaves it to the guard, which is told at once.
      if (!(error instanceof Cancelled)) await unstage(run);
      throw error;
    }
  });
}

/** All in one round trip: where the first is refused, the target refuses what follows, too. */
async function askAtOnce(run: Inspected, file: Staged) {
  const { agent } = run;
  const uploads = await uploadsOf(run, file);
  const fields = preparation(run, file);
  const { nonce } = fields;
  const prepared = agent.ask('prepare', { fields });
  const sent = uploads.map((upload) => send(run, upload));
  const atOnce = canTestAtOnce(run, file);
  const test = atOnce ? { test: 'yes', flags: pathFlags(file.build) } : { test: 'no' };
  const checked = agent.ask('check', { fields: { nonce, ...test } });
  for (const answer of [prepared, ...sent, checked]) answer.catch(() => {});
  return { prepared, sent, checked };
}

/** Of what is known of the file: where it opens and makes things at its start, unless the configuration says otherwise. */
function pathFlags({ arguments: all }: BuildInfo): string {
  const flags = all.filter((word) => /^--(?:error-log|http-log|http-[a-z-]+-temp)-path=\S+$/.test(word));
  return ['--', ...flags].join(' ');
}

/** Nothing of ours stays on the target. */
export async function unstage(run: Inspected): Promise<void> {
  // Should even this fail, the guard does the same when its time is over.
  await run.agent.ask('unstage', { fields: { nonce: run.agent.nonce() } }).catch(() => {});
}

export function whoAmI(env: NodeJS.ProcessEnv = process.env): { who: string; run: string } {
  const { GITHUB_ACTOR, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = env;
  if (GITHUB_RUN_ID) {
    const run = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
    return { who: GITHUB_ACTOR ?? 'unknown', run };
  }
  return { who: `${userInfo().username}@${hostname()}`, run: `process ${process.pid} on ${hostname()}` };
}

function preparation(run: Inspected, file: Staged) {
  const { canaryTime: _, ...times } = run.config.switch;
  const tenths = (ms: number) => Math.max(1, Math.ceil(ms / 100));
  const workers = wantedWorkers(run.facts.master, run.facts);
  return {
    nonce: randomBytes(6).toString('hex'),
    kind: file.kind,
    sha256: file.sha256,
    blake: file.kind === 'reverse' ? '' : (run.binary?.blake2b ?? ''),
    old_version: parseBuildInfo(run.facts.master.build).version,
    new_version: file.build.version,
    // Judged and accepted: whose rights do for what is put beside the binary.
    hand: run.facts.master.binaryPlace,
    modules: replacedModules(run, file)
      .map(({ path }) => `${path}|`)
      .join(''),
    need: workers,
    // With accept_mutex only the worker that holds it has the listeners in its epoll set.
    cover: run.facts.master.listeners.length === 0 ? 0 : run.facts.master.acceptMutex === 'on' ? 1 : workers,
    confirm: tenths(times.confirmTimeout),
    ready: tenths(times.readyTimeout),
    drain: tenths(times.drainTimeout),
    hold: tenths(times.holdTimeout),
    keep: times.keep,
    // Refused unless allowed: then it is written again before anything else.
    repair: run.facts.master.pidText === null && file.kind !== 'plan' ? 'yes' : 'no',
  };
}

interface Upload {
  encoding: 'none' | 'gzip';
  /** As they travel. */
  bytes: Buffer;
  /** Bytes of the file. */
  whole: number;
  /** Of a module: the path on the target, and the digests that its name in the books does not tell. */
  more: Record<string, string>;
}

/** None where the file lies on the target already. */
async function uploadsOf(run: Inspected, file: Staged): Promise<Upload[]> {
  const { binary, agent } = run;
  if (file.kind === 'reverse' || binary === undefined) return [];
  const encoding = agent.link.roundTripMs >= COMPRESS_FROM_MS ? 'gzip' : 'none';
  const packed = async (part: NewBinary | NewModule, more: Record<string, string>): Promise<Upload> => {
    return { encoding, bytes: await encoded(part, encoding), whole: part.bytes.length, more };
  };
  const modules = replacedModules(run, file).map(({ path, module }) =>
    packed(module, { module: path, sha256: module.sha256, blake: module.blake2b }),
  );
  return Promise.all([packed(binary, {}), ...modules]);
}

/** Dynamic modules that the configuration loads and that were built with the new binary: they go with it as one set. */
function replacedModules({ binary, facts }: Inspected, file: Staged): { path: string; module: NewModule }[] {
  if (file.kind === 'reverse' || binary === undefined) return [];
  return facts.master.modules.flatMap((path) => {
    const module = binary.modules.find(({ name }) => name === basename(path));
    return module === undefined ? [] : [{ path, module }];
  });
}

function send({ agent }: Inspected, { encoding, bytes, whole, more }: Upload): Promise<Answer> {
  return agent.ask('receive', {
    fields: { nonce: agent.nonce(), encoding, size: bytes.length, whole, ...more },
    bytes,
  });
}

/** What the binary says of itself is known already, and shows that testing the configuration changes nothing there. */
function canTestAtOnce(run: Inspected, file: Staged): boolean {
  return file.build.version !== '' && sideEffectOfTest(run, file) === undefined;
}

/** The decisive test of a binary is running it there; the configuration is tested only where that changes nothing. */
async function judge(run: Inspected, { file, answer }: { file: Staged; answer: Answer }): Promise<BuildInfo> {
  const rules = rulesOf(run);
  const read = fieldsOf(answer.fields, 'check');
  const said = read.text('build');
  // What passed the test on the target was not asked again what it is.
  const build = said === '' ? file.build : parseBuildInfo(said);
  if (read.number('versionExit') !== 0 || build.version === '') settle(run, judgeFinding(cannotRun(read), rules));
  let tested = answer;
  if (!canTestAtOnce(run, file)) {
    const known = run.binary ?? { size: 0, modules: undefined };
    settle(run, judgeCandidate({ ...known, sha256: file.sha256, build }, run.facts, rules));
    if (sideEffectOfTest(run, file) === undefined) {
      const fields = { nonce: run.agent.nonce(), test: 'yes' };
      tested = mustSucceed(await run.agent.ask('check', { fields }), run.result);
    }
  }
  const test = fieldsOf(tested.fields, 'check');
  if (file.kind === 'plan' || test.numberOrNull('testExit') !== 0) noteLeft(run, test.lines('left'));
  const exit = test.numberOrNull('testExit');
  if (exit === null) {
    run.result.notes.push(notTested(run, { file, why: test.text('untested'), said: test.lines('test') }));
  } else if (exit === ENDED_BY_FORCE) {
    settle(run, judgeFinding(testTimeout(), rulesOf(run)));
  } else if (exit !== 0) {
    settleTest(run, { build, lines: test.lines('test') });
  }
  return build;
}

/** What `nginx -t` would change on the host (ngx_init_cycle): a missing pid file is created, directories change their owner, links are followed. */
function sideEffectOfTest({ facts: { master } }: Inspected, { kind }: Staged): string | undefined {
  if (master.ledPaths.length > 0 && kind === 'plan')
    return 'others could have `nginx -t`, as root, change what they like (`paths-of-others`); an upgrade tests it';
  // A missing one was allowed and is written again before the test, but not for a plan.
  const isFine = master.pidText === null ? kind !== 'plan' : master.pidText === String(master.process.pid);
  return isFine ? undefined : 'with this pid file `nginx -t` would change the host';
}

/** The helper gives `-t` a minute, and then kills it. */
const ENDED_BY_FORCE = 137;

function testTimeout() {
  return {
    code: 'config-test-timeout',
    message:
      '`nginx -t` of the new binary had not ended after a minute and was ended: something that the configuration names does not answer',
    fix: 'Look for a log that is a pipe without a reader, a file system that hangs, a resolver that is silent.',
  };
}

function cannotRun(read: ReturnType<typeof fieldsOf>) {
  const said = read.text('build').trim().slice(0, 300);
  const library = /error while loading shared libraries|cannot open shared object|version `[^']+' not found/.test(said);
  return {
    code: library
      ? /GLIBC|ld-/.test(said)
        ? 'libc'
        : 'missing-library'
      : /Exec format/.test(said)
        ? 'architecture'
        : 'libc',
    message: `the new binary does not run on this host (exit code ${read.number('versionExit')}): ${said || 'it said nothing'}`,
    fix: 'Build it on the distribution and release that the host runs, or install what it needs there.',
  };
}

function notTested(run: Inspected, { file, why, said }: { file: Staged; why: string; said: string[] }): string {
  const reason = sideEffectOfTest(run, file) ?? UNTESTED[why] ?? 'the target could not';
  const failed = said.find((line) => line.includes('[emerg]')) ?? said.at(-1);
  const tried =
    why !== 'outside' || failed === undefined ? '' : ` Tried outside of them, it failed: ${failed.slice(0, 300)}`;
  return `The configuration was not tested: ${reason}.${tried}`;
}

/** In the helper's words. */
const UNTESTED: Record<string, string> = {
  'no-namespace':
    'modules go with the new binary, and no mount namespace in which they lie at their paths can be had there',
  outside:
    'the master has mounts or a network of its own, and no way in is there (`nsenter`, as root, to a master of root in the same user namespace); `rehearse: true` tests it inside',
  'other-root': 'the master sees another file where the new one is staged; `rehearse: true` tests it inside',
  'other-config':
    'the master sees other files in place of those that were read here, so that nobody could tell what `nginx -t` made; an upgrade tests it',
  cut: 'it is too long for anybody to tell beforehand what `nginx -t` would make; an upgrade tests it',
  gone: 'the master ended',
  confined:
    'the unit shuts nginx in (a filter of system calls, mounts of its own), and its user can change what the configuration consists of; a test from outside would let it out. `rehearse: true` tests it inside',
};
