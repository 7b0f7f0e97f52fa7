import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Answer } from '../../src/target/answer.ts';
import { type Fields, type Helper, type HelperOptions, startHelper } from './helper-session.ts';
import { assertAtRest, type Expected, type Place, snapshotHost } from './invariants.ts';
import { type LocalNginx, type LocalNginxOptions, startNginx } from './local-nginx.ts';
import { nginxBuild, type Variant } from './nginx-builds.ts';
import { processesBelow, signal } from './processes.ts';
import { waitFor } from './wait.ts';

export const OLD = '1.22.1';
export const NEW = '1.26.3';

/** A running nginx 1.22.1 that helpers are let loose on. */
export interface Instance {
  nginx: LocalNginx;
  /** Of every upgrade that is prepared here. */
  nonce: string;
  /** The helper's directory for it. */
  directory: string;
  /** A file that tests may use as a mark; below the instance's folder, but not beside the binary. */
  mark(name: string): string;
  /** A helper that ends with the instance. */
  helper(options?: HelperOptions): Promise<Helper>;
  /** Reads the facts and prepares an upgrade; `fields` over the usual ones. */
  prepare(helper: Helper, fields?: Fields): Promise<{ nonce: string }>;
  /** Prepares an upgrade, uploads the new binary, checks it. */
  stage(helper: Helper, options?: StageOptions): Promise<Staged>;
  /** Takes back what `prepare` or `stage` began. */
  unstage(helper: Helper): Promise<void>;
  /** Sends a binary behind its request. */
  receive(helper: Helper, upload: Upload): Promise<Answer>;
  /** As if the time of the upgrade's guard were over now. */
  expire(): void;
  /** Event names of the journal so far, oldest first, each after its actor: `session begin`. */
  journal(): string[];
  /** Everything of this nginx and of every helper is as it must be when no upgrade is under way. */
  assertRest(generation: typeof OLD | typeof NEW, expected?: { workers?: number }): Promise<void>;
  /** Like `assertRest`, but waits for it. */
  restWithin(generation: typeof OLD | typeof NEW, timeout: number): Promise<number>;
  /** Pids of every process of this nginx, whatever generation. */
  processes(): number[];
  /** Version that answers a fresh connection. */
  answers(): Promise<string | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `size`, `whole`: what the request says of the bytes that follow, and of the file; where not given, as many as there are. */
export interface Upload {
  bytes: Uint8Array;
  encoding?: string;
  nonce?: string;
  size?: number;
  whole?: number;
}

export interface StageOptions {
  /** For `prepare`; see FIELDS. */
  fields?: Fields;
  variant?: Variant;
  binary?: string;
}

export interface Staged {
  nonce: string;
  sha256: string;
  checked: Answer;
}

const FIELDS = {
  who: 'tester',
  run: 'https://example.org/run/1',
  kind: 'upgrade',
  old_version: OLD,
  new_version: NEW,
  need: 2,
  cover: 2,
  confirm: 1200,
  ready: 150,
  drain: 600,
  hold: 9000,
  keep: 3,
};

/** What may stay in the helper's directory when nothing is under way. */
const AT_REST = ['decision', 'instance', 'journal.jsonl', 'last', 'previous', 'retained'];

export async function startInstance(options: Partial<LocalNginxOptions> = {}): Promise<Instance> {
  const nginx = await startNginx({ binary: await nginxBuild(OLD), ...options });
  const directory = stateDirectory(nginx);
  const nonce = basename(nginx.dir).slice(-6);
  const helpers: Helper[] = [];
  const place: Place = { ...nginx, stateDirs: [directory], run: ownLinesOnly(nginx) };
  const before = await snapshotHost(place);
  const instance: Instance = {
    nginx,
    nonce,
    directory,
    mark: (name) => join(nginx.dir, 'home', name),
    async helper(how = {}) {
      const helper = await startHelper({ ...how, env: { HOME: nginx.home, ...how.env } });
      helpers.push(helper);
      return helper;
    },
    async prepare(helper, fields = {}) {
      okay(await helper.ask('facts', { pid_file: nginx.pidFile }));
      okay(await helper.ask('prepare', { ...FIELDS, nonce, ...fields }));
      return { nonce };
    },
    async stage(helper, how = {}) {
      const bytes = readFileSync(how.binary ?? (await nginxBuild(NEW, how.variant)));
      const sha256 = digest(bytes);
      await instance.prepare(helper, { sha256, ...how.fields });
      okay(await instance.receive(helper, { bytes }));
      return { nonce, sha256, checked: okay(await helper.ask('check', { test: 'yes' })) };
    },
    async unstage(helper) {
      okay(await helper.ask('unstage', { nonce }));
    },
    receive(helper, { bytes, encoding = 'none', size = bytes.length, whole = size, nonce: named = nonce }) {
      const answer = helper.ask('receive', { nonce: named, encoding, size, whole });
      helper.send(bytes);
      return answer;
    },
    expire() {
      writeFileSync(`${directory}/deadline.test`, '0\n');
      renameSync(`${directory}/deadline.test`, `${directory}/deadline`);
    },
    journal: () => journalOf(directory),
    async assertRest(generation, expected = {}) {
      assert.equal(await instance.answers(), generation);
      const wanted: Expected = { before, ...expected };
      if (generation === NEW) {
        wanted.committed = true;
        wanted.sha256 = digest(readFileSync(await nginxBuild(NEW)));
      }
      await assertAtRest(place, wanted);
      assert.deepEqual(strangers(directory), [], `expected nothing but ${AT_REST.join(', ')} in ${directory}`);
    },
    async restWithin(generation, timeout) {
      const start = performance.now();
      let last: unknown;
      const atRest = async () => {
        try {
          await instance.assertRest(generation);
          return true;
        } catch (error) {
          last = error;
          return false;
        }
      };
      await waitFor(`${generation} at rest`, atRest, timeout).catch(() => {
        throw withJournal(last, directory);
      });
      return performance.now() - start;
    },
    processes: () => processesBelow(nginx.dir),
    answers: () => versionServed(nginx),
    async [Symbol.asyncDispose]() {
      await Promise.all(helpers.map((helper) => helper[Symbol.asyncDispose]()));
      for (const pid of processesWith(directory)) signal(pid, 'SIGKILL');
      await nginx.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return instance;
}

/** Fails with the helper's own words where the answer is no. */
export function okay(answer: Answer): Answer {
  assert.ok(answer.ok, `${answer.verb}: ${answer.reason}: ${answer.message} ${JSON.stringify(answer.fields)}`);
  return answer;
}

/** Fails where the answer is yes, or no for another reason. */
export function refused(answer: Answer, reason: string): Answer {
  assert.deepEqual([answer.ok, answer.reason], [false, reason], `${answer.verb}: ${answer.message}`);
  return answer;
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Pids of the processes whose command line holds `words`. */
export function processesWith(words: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && contentOf(`/proc/${pid}/cmdline`).includes(words));
}

function stateDirectory(nginx: LocalNginx): string {
  const base = process.getuid?.() === 0 ? '/var/lib' : join(nginx.home, '.local/state');
  return join(base, 'nginx-hot-upgrade', nginx.pidFile.slice(1).replaceAll('/', '-'));
}

/** Other tests run helpers at the same time: their processes are none of this instance's. */
function ownLinesOnly(nginx: LocalNginx): LocalNginx['run'] {
  return async (script) => {
    const result = await nginx.run(script);
    const own = (line: string) => !line.startsWith('process ') || line.includes(basename(nginx.dir));
    return { ...result, stdout: result.stdout.split('\n').filter(own).join('\n') };
  };
}

function strangers(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => !AT_REST.includes(name)) : [];
}

function journalOf(directory: string): string[] {
  const lines = contentOf(join(directory, 'journal.jsonl')).trim().split('\n').filter(Boolean);
  return lines.map((line) => {
    const { actor, event } = JSON.parse(line) as { actor: string; event: string };
    return `${actor.split(' ', 1)[0]} ${event}`;
  });
}

function withJournal(error: unknown, directory: string): Error {
  const told = error instanceof Error ? error.message : String(error);
  const files = existsSync(directory) ? readdirSync(directory).join(' ') : 'no directory';
  return new Error(`${told}\n${files}\n${contentOf(join(directory, 'journal.jsonl'))}`);
}

async function versionServed(nginx: LocalNginx): Promise<string | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${nginx.port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(3000),
    });
    await answer.arrayBuffer();
    return answer.headers.get('x-nginx');
  } catch {
    return null;
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
