import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { mustRun } from './command.ts';
import { quoted } from './hostile.ts';
import { bootHost, type TestHost } from './hosts.ts';
import { assertAtRest, snapshotHost, type Expected, type Snapshot } from './invariants.ts';
import { startLoad, type LoadResult } from './load.ts';
import { productFor, type Product } from './product.ts';
import { ownTempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';

const BOOKS = '/var/lib/nginx-hot-upgrade/run-nginx.pid';

/** One host for all tests of a file: 1.22.1 serves on it, at rest, whenever a test starts. */
export interface WebHost extends TestHost {
  product: Product;
  /** What was true when the test started. */
  before: Snapshot;
  /** Output of a script that must succeed within half a minute, run as root without SSH. */
  sh(script: string): Promise<string>;
  /** Copies files of this machine into the home of root there. */
  put(files: string[]): Promise<void>;
  /** The version that answers a fresh connection now. */
  serving(): Promise<string>;
  /** Pid and start time of every nginx, oldest first. */
  processes(): Promise<string[]>;
  /** Value of a key in the books of the upgrade under way; empty where there is none. */
  book(key: string): Promise<string>;
  /** Waits until the upgrade under way is in `phase`. */
  reaches(phase: string): Promise<void>;
  /** Waits until the new generation serves alone, the old master parked. */
  bakes(): Promise<void>;
  /** Waits until the books of the upgrade under way are closed and its guard is gone. Milliseconds. */
  closes(within: number): Promise<void>;
  /** Asserts the invariants; the old version serves where nothing else is expected. */
  atRest(expected?: Partial<Expected>): Promise<void>;
  /** Has the next test start on a fresh disk: this one changed more than an upgrade does. */
  spoil(): void;
}

/** Boots a host for the tests of this file or `describe`; usable from the first test on. */
export function webHost(name: string): WebHost {
  // Filled by the hook: nothing is read from it before a test runs.
  const web = {} as WebHost;
  let spoilt = false;
  before(async () => {
    const host = await bootHost(name);
    Object.assign(web, host, onHost(host), { product: productFor(host), spoil: () => (spoilt = true) });
    web.atRest = (expected = {}) => assertAtRest(web, { before: web.before, ...expected });
  });
  after(() => web.stop());
  beforeEach(async () => {
    if (spoilt || !(await isFresh(web))) await web.reset();
    spoilt = false;
    web.before = await snapshotHost(web);
  });
  return web;
}

/** Runs `body` while requests come in, each on a fresh connection, and asserts that none of them failed. */
export async function underLoad<T>(
  web: WebHost,
  body: () => Promise<T>,
  options: { rate?: number } = {},
): Promise<{ value: T; load: LoadResult }> {
  const { value, load } = await observed(web, body, options);
  assert.equal(load.failed, 0, `of ${load.sent} requests failed:\n${load.failures.join('\n')}`);
  return { value, load };
}

/** Like `underLoad`, where failures are the test's to judge. */
export async function observed<T>(
  web: WebHost,
  body: () => Promise<T>,
  { rate = 200 }: { rate?: number } = {},
): Promise<{ value: T; load: LoadResult }> {
  const running = await startLoad({ host: web.address, port: 80, rate });
  try {
    const value = await body();
    return { value, load: await running.stop() };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

function onHost(host: TestHost) {
  const sh = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await host.run(`exec timeout 30 sh -c ${quoted(script)}`);
    assert.equal(code, 0, `expected exit 0 of "${script}", found:\n${stdout}${stderr}`);
    return stdout.trim();
  };
  const book = async (key: string) => (await host.run(`sed -n 's/^${key}=//p' ${BOOKS}/upgrade`)).stdout.trim();
  const reaches = async (phase: string) => {
    await waitFor(`the phase ${phase}`, async () => (await book('phase')) === phase, 20_000);
  };
  const bakes = async () => {
    await reaches('retired');
    await sh(`until [ "$(pgrep -fc '^nginx: worker')" = 2 ]; do sleep 0.02; done`);
  };
  const closes = async (within: number) => {
    const seen = async () => (await host.run(LEFT)).stdout;
    await waitFor('the end of the upgrade', async () => (await host.run(CLOSED)).code === 0, within).catch(
      async (error) => {
        throw new Error(`${error.message}:\n${await seen()}`, { cause: error });
      },
    );
  };
  const processes = async () => (await sh(PROCESSES)).split('\n');
  const put = (files: string[]) => putOn(host, files);
  return { sh, put, book, reaches, bakes, closes, processes, serving: () => versionAt(host.address) };
}

/** Copies files of this machine into the home of root on `host`. */
export async function putOn(host: TestHost, files: string[]): Promise<void> {
  const known = join(ownTempDir(), 'known_hosts');
  await writeFile(known, host.knownHosts);
  const options = ['BatchMode=yes', `UserKnownHostsFile=${known}`].flatMap((each) => ['-o', each]);
  await mustRun([
    'scp',
    '-q',
    '-F',
    'none',
    ...options,
    '-i',
    host.clientKeyPath,
    ...files,
    `root@${host.address}:/root/`,
  ]);
}

/** What tells why an upgrade does not close: its journal, its books, its guard and every process with its state. */
const LEFT = `exec 2>&1; tail -n 12 ${BOOKS}/journal.jsonl; ls -al ${BOOKS}; head -n 60 ${BOOKS}/upgrade ${BOOKS}/guard
  systemctl status --no-pager --full 'nginx-hot-upgrade-*'; ps -e -o pid,ppid,pgid,stat,wchan:20,etimes,user,args`;
const CLOSED = `[ ! -e ${BOOKS}/upgrade ] && [ -z "$(systemctl list-units --plain --no-legend 'nginx-hot-upgrade-*')" ]`;

// A zombie has an empty command line and is none.
const PROCESSES = `for p in /proc/[0-9]*; do
  grep -aq '^nginx: ' $p/cmdline 2>/dev/null && sed 's/(.*) //' $p/stat | awk '{ print $1, $21 }'
done | sort -k2n`;

async function versionAt(address: string): Promise<string> {
  const answer = await fetch(`http://${address}/`, { headers: { connection: 'close' } });
  await answer.text();
  return answer.headers.get('x-nginx') ?? '';
}

async function isFresh(web: WebHost): Promise<boolean> {
  const { stdout } = await web.run(`cat ${BOOKS}/upgrade 2>/dev/null; pgrep -fc '^nginx: master'; nginx -v 2>&1`);
  return stdout === '1\nnginx version: nginx/1.22.1\n' && (await web.serving()) === '1.22.1';
}
