import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunScript } from './local-nginx.ts';

/** Where an instance lives. A LocalNginx and a TestHost are such places. */
export interface Place {
  run: RunScript;
  binaryPath: string;
  pidFile: string;
  /** Absolute paths of the program's state folders; root's and the login's own one where not given. */
  stateDirs?: string[];
  /** True where everything on the machine belongs to the test, so that any new shell there is a leftover of ours. */
  wholeHost?: boolean;
}

/** What was true before the run that is judged. Keys as `at-rest.sh` prints them. */
export type Snapshot = ReadonlyMap<string, string[]>;

export interface Expected {
  before: Snapshot;
  /** Digest of the binary that must be on disk and run; the one from before where not given. */
  sha256?: string;
  /** Number of workers; as many as before where not given. */
  workers?: number;
  /** After a commit `/proc/PID/exe` is the binary's own path, without "(deleted)". */
  committed?: boolean;
}

const script = readFileSync(join(import.meta.dirname, 'at-rest.sh'), 'utf8');

/** Reads what must be the same, or must be gone, after a run. */
export async function snapshotHost(place: Place): Promise<Snapshot> {
  const settings = `BINARY=${quoted(place.binaryPath)} PID_FILE=${quoted(place.pidFile)} STATE=${stateDirs(place)}`;
  const whole = place.wholeHost ? 'yes' : 'no';
  const { code, stdout, stderr } = await place.run(`${settings} WHOLE=${whole}\n${script}`);
  assert.equal(code, 0, `expected to read the state of ${place.binaryPath}, found:\n${stderr}`);
  const found = new Map<string, string[]>();
  for (const line of stdout.trim().split('\n')) {
    const [key = '', ...words] = line.split(' ');
    found.set(key, [...(found.get(key) ?? []), words.join(' ').trim()]);
  }
  return found;
}

/**
 * Holds the instance against the invariants of a place at rest: one generation, the binary on disk is the one that
 * runs, the sockets were inherited, nothing of ours is left. All violations are in one error.
 */
export async function assertAtRest(place: Place, expected: Expected): Promise<void> {
  const now = await snapshotHost(place);
  const violations = [
    ...binaryViolations(now, { place, expected }),
    ...processViolations(now, expected),
    ...leftovers(now, expected.before),
  ];
  assert.deepEqual(violations, [], `expected ${place.binaryPath} at rest, found:\n${violations.join('\n')}`);
}

function binaryViolations(now: Snapshot, by: { place: Place; expected: Expected }): string[] {
  const { before, sha256, committed } = by.expected;
  const running = one(now, 'running');
  const found: string[] = [];
  if (one(now, 'kind') !== 'regular file') found.push(`I2: the binary on disk is a ${one(now, 'kind')}`);
  if (one(now, 'disk') !== running) found.push(`I2: the file on disk is ${one(now, 'disk')}, ${running} runs`);
  if (one(now, 'sha256') !== (sha256 ?? one(before, 'sha256')))
    found.push(`I2: digest on disk is ${one(now, 'sha256')}`);
  if (committed && one(now, 'exe') !== by.place.binaryPath) found.push(`I2: the running file is ${one(now, 'exe')}`);
  for (const key of ['owner', 'attribute', 'immutable']) found.push(...difference(`I9: ${key}`, { key, before, now }));
  found.push(...difference('I11: listening sockets', { key: 'listener', before, now }));
  return found;
}

function processViolations(now: Snapshot, expected: Expected): string[] {
  const master = one(now, 'pid-file');
  const found: string[] = [];
  const nginx = (now.get('nginx') ?? []).map((line) => line.split(' '));
  if (!nginx.some(([pid]) => pid === master)) found.push(`I6: the pid file says ${master || 'nothing'}, no such nginx`);
  if (now.has('oldbin')) found.push(`I6: there is an .oldbin: ${one(now, 'oldbin')}`);
  for (const [pid, parent, ...line] of nginx) {
    if (pid !== master && parent !== master) found.push(`I3, I4: ${pid} (parent ${parent}): ${line.join(' ')}`);
  }
  const workers = countWorkers(now);
  const wanted = expected.workers ?? countWorkers(expected.before);
  if (workers !== wanted) found.push(`I5: ${workers} serving workers, not ${wanted}`);
  return found;
}

function leftovers(now: Snapshot, before: Snapshot): string[] {
  const earlier = before.get('process') ?? [];
  const processes = (now.get('process') ?? []).filter((line) => !earlier.includes(line));
  return [
    ...difference('nothing beside the binary', { key: 'beside', before, now }),
    ...(now.get('leftover') ?? []).map((path) => `I7: left over: ${path}`),
    ...(now.get('unit') ?? []).map((unit) => `a unit of ours: ${unit}`),
    ...processes.map((line) => `a process of ours: ${line}`),
  ];
}

function countWorkers(at: Snapshot): number {
  return (at.get('nginx') ?? []).filter((line) => line.endsWith('nginx: worker process')).length;
}

function difference(what: string, of: { key: string; before: Snapshot; now: Snapshot }): string[] {
  const [was, is] = [of.before, of.now].map((at) => (at.get(of.key) ?? []).join(', '));
  return was === is ? [] : [`${what}: was ${was || 'none'}, is ${is || 'none'}`];
}

function one(at: Snapshot, key: string): string {
  return at.get(key)?.[0] ?? '';
}

/** Empty where not given: the script knows the usual ones. A path that is not absolute would find nothing, silently. */
function stateDirs(place: Place): string {
  const dirs = place.stateDirs ?? [];
  for (const dir of dirs) assert.match(dir, /^\/[^\s']+$/, 'expected an absolute path without blanks and quotes');
  return quoted(dirs.join(' '));
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
