import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PREFACE } from '../../../src/target/preface.ts';
import { helperProgram, startOf, unrunnable } from '../../../src/target/program.ts';
import { command, type CommandResult } from '../../support/command.ts';
import { noShell, SHELLS } from '../../support/helper-session.ts';
import { notInstalled } from './shells.ts';

/*
 * The gate itself, but in a world of its own: /proc is a folder with the processes that a case has, and the helper is a
 * few words that tell how they were started. Who asks is one of these processes, too, so all this needs no root.
 */

const MARKER = 'c0ffee00c0ffee00';
const ELEVATING = `@${MARKER} {"v":1,"id":0,"event":"elevating"}`;
const HELPER = '#printf "helper %s %s\\n" "$0" "$*"; cat';
const folder = mkdtempSync(join(tmpdir(), 'nhu-gate-'));
after(() => rmSync(folder, { recursive: true }));

interface World {
  /** The login's user; 1000 where not given. */
  me?: number;
  /** Title, user and cgroup of each process, by number; no user: it went while it was looked at. */
  processes?: Record<number, [title: string, uid?: number, group?: string]>;
  /** Content of the pid file that is named; undefined: none is named. */
  pidText?: string;
  /** A pid file is named that is not there. */
  pidFileGone?: boolean;
  hidden?: boolean;
  /** Whether the login may not look into its own process, as with one whose file has capabilities. */
  opaque?: boolean;
  /** Root has upgraded here before: its books may tell of one that was begun. */
  books?: boolean;
  /** Words that become root; by default a program that says so and runs the rest as it is. */
  sudo?: string[];
}

const MINE = 1000;
const OTHERS = 0;
const MASTER = 'nginx: master process /usr/sbin/nginx';

let worlds = 0;

/** Builds the world and runs the gate in it, with a request behind the helper. */
async function through(shell: string, world: World): Promise<CommandResult & { lines: string[] }> {
  const dir = join(folder, String((worlds += 1)));
  const proc = join(dir, 'proc');
  const status = (pid: string | number, uid: number) => {
    mkdirSync(join(proc, String(pid)), { recursive: true });
    writeFileSync(join(proc, String(pid), 'status'), `Name:\tx\nUid:\t${uid}\t9\t9\t9\nGid:\t9\t9\t9\t9\n`);
  };
  status('self', world.me ?? MINE);
  if (world.hidden !== true) status(1, 0);
  for (const [pid, [title, uid, group = '/user.slice/user-1.slice/session-1.scope']] of Object.entries(
    world.processes ?? {},
  )) {
    if (uid !== undefined) status(pid, uid);
    mkdirSync(join(proc, pid), { recursive: true });
    writeFileSync(join(proc, pid, 'cgroup'), `0::${group}\n`);
    if (world.opaque !== true) writeFileSync(join(proc, pid, 'exe'), '');
    writeFileSync(join(proc, pid, 'cmdline'), title.includes('\0') ? title : `${title}\0`);
  }
  if (world.books === true) mkdirSync(join(dir, 'books'));
  const pidFile = join(dir, 'a b.pid');
  if (world.pidText !== undefined) writeFileSync(pidFile, world.pidText);
  const named = world.pidText !== undefined || world.pidFileGone === true;
  const { command: line, input } = startOf({
    entry: 'session',
    elevate: 'asNeeded',
    marker: MARKER,
    sudo: world.sudo ?? [program('sudo', 'echo "sudo: $*" | cut -c 1-40; exec "$@"')],
    ...(named ? { pidFile } : {}),
  });
  return run(shell, { line, input, proc });
}

async function run(shell: string, { line, input, proc }: { line: string; input: string; proc: string }) {
  const length = Number(/count=(\d+)/.exec(line)?.[1]);
  assert.ok(input.startsWith(PREFACE));
  const behind = PREFACE.length + length;
  const gate = input
    .slice(PREFACE.length, behind)
    .replaceAll('/proc', proc)
    .replaceAll('/var/lib/nginx-hot-upgrade', join(proc, '..', 'books'))
    .replaceAll(`count=${unrunnable(helperProgram()).length}`, `count=${HELPER.length}`);
  const helper = input.indexOf(unrunnable(helperProgram()), behind);
  const [hello, again] = input.slice(behind, helper).split(/(?<=^nhu1\t[^\n]*\n)/);
  assert.equal(again, PREFACE);
  assert.equal(input.slice(helper + unrunnable(helperProgram()).length), `nhu1\t${MARKER}\n`);
  const started = line.replace(/^\/bin\/sh /, `exec ${shell} `).replaceAll(`count=${length}`, `count=${gate.length}`);
  const result = await command(['/bin/sh', '-c', started], {
    input: `${PREFACE}${gate}${hello}${PREFACE}${HELPER}1\tlook\n`,
    timeout: 20_000,
  });
  const [word, ...lines] = result.stdout.split('\n').filter((each) => each !== '');
  assert.equal(word, 'nhu1');
  return { ...result, lines };
}

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const PLAIN = ['helper nginx-hot-upgrade session', '1\tlook'];
const AS_ROOT = ['helper nginx-hot-upgrade session elevated', '1\tlook'];

const GOES_ON: [where: string, world: World][] = [
  ['the login is root', { me: 0, processes: { 7: [MASTER, 33] } }],
  ["the only master is the login's own", { processes: { 7: [MASTER, MINE] } }],
  ["all masters are the login's own", { processes: { 7: [MASTER, MINE], 8: ['angie: master process', MINE] } }],
  ["the only master is the login's own, and root has books here", { processes: { 7: [MASTER, MINE] }, books: true }],
  ['no master runs, and nothing was ever done here', { processes: { 7: ['sshd: deploy', OTHERS] } }],
  [
    'the pid file names its own among others',
    { processes: { 7: [MASTER, OTHERS], 8: [MASTER, MINE] }, pidText: '8\n' },
  ],
  ['that has no newline', { processes: { 7: [MASTER, OTHERS], 8: [MASTER, MINE] }, pidText: '8' }],
  ['a stranger calls a process so', { processes: { 7: [MASTER, 1234], 8: [MASTER, MINE] } }],
  [
    'a stranger has services of his own',
    { processes: { 7: [MASTER, 1234, '/user.slice/user-1234.slice/user@1234.service/app.slice/x.service'] } },
  ],
  ['processes of strangers come and go', { processes: { 7: [MASTER], 8: [MASTER, MINE] } }],
  [
    'only workers and namesakes are of others',
    {
      processes: {
        7: ['nginx: worker process', 33],
        9: ['nginx-exporter: master', OTHERS],
        11: [`pgrep\0-f\0${MASTER}\0`, OTHERS],
        10: [MASTER, MINE],
      },
    },
  ],
];

const ASKS: [where: string, world: World][] = [
  ["the master is root's", { processes: { 7: [MASTER, OTHERS] } }],
  ['the master is a service of the system', { processes: { 7: [MASTER, 33, '/system.slice/nginx.service'] } }],
  ["it is the login's own, and may not be looked into", { processes: { 7: [MASTER, MINE] }, opaque: true }],
  ['it is an angie', { processes: { 7: ['angie: master process /usr/sbin/angie', OTHERS] } }],
  ['one of several is, and none is named', { processes: { 7: [MASTER, MINE], 8: [MASTER, OTHERS] } }],
  ['the pid file names that one', { processes: { 7: [MASTER, MINE], 8: [MASTER, OTHERS] }, pidText: '8\n' }],
  ['the pid file is empty', { processes: { 7: [MASTER, MINE], 8: [MASTER, OTHERS] }, pidText: '' }],
  ['it holds shell words', { processes: { 7: [MASTER, MINE], 8: [MASTER, OTHERS] }, pidText: '* $(id) "\n' }],
  ['it names no master', { processes: { 7: [MASTER, MINE], 8: [MASTER, OTHERS] }, pidText: '9\n' }],
  ['it is gone', { processes: { 7: [MASTER, MINE], 8: [MASTER, OTHERS] }, pidFileGone: true }],
  ["others' processes are hidden", { hidden: true }],
  ['no master runs, and root has books here', { processes: {}, books: true }],
  ['a master went while it was looked at', { processes: { 7: [MASTER] } }],
];

/** The same among more masters of a stranger than are looked at one by one. */
function crowded([where, world]: [where: string, world: World]): [where: string, world: World] {
  const strangers = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [n + 100, [MASTER, 1234]] as const));
  return [`${where}, in a crowd`, { ...world, processes: { ...strangers, ...world.processes } }];
}

for (const shell of SHELLS) {
  describe(`the gate under ${shell}`, { skip: noShell(shell) }, () => {
    for (const [where, world] of [...GOES_ON, ...GOES_ON.map(crowded)]) {
      it(`goes on without root where ${where}`, async () => {
        const { lines, code, stderr } = await through(shell, world);
        assert.deepEqual([lines, code, stderr], [PLAIN, 0, '']);
      });
    }

    for (const [where, world] of [...ASKS, ...ASKS.map(crowded)]) {
      it(`becomes root where ${where}, and says so before`, async () => {
        const { lines, code, stderr } = await through(shell, world);
        assert.equal(lines[0], ELEVATING);
        assert.match(lines[1] ?? '', /^sudo: \/bin\/sh -c PATH=\/usr\/sbin:/);
        assert.deepEqual([lines.slice(2), code, stderr], [AS_ROOT, 0, '']);
      });
    }

    it('hands the words that become root on one by one, and none of them to a shell', async () => {
      const sudo = [program('words', 'printf "<%s>" "$1" "$2" "$3"; echo; shift 3; exec "$@"'), '-n', '-u', 'a;id'];
      const { lines } = await through(shell, { processes: { 7: [MASTER, OTHERS] }, sudo });
      assert.deepEqual(lines, [ELEVATING, '<-n><-u><a;id>', ...AS_ROOT]);
    });

    it('runs nothing where sudo refuses, and lets it say so', async () => {
      const sudo = [program('refuse', 'echo "sudo: a password is required" >&2; exit 1')];
      const { lines, code, stderr } = await through(shell, { processes: { 7: [MASTER, OTHERS] }, sudo });
      assert.deepEqual([lines, code, stderr], [[ELEVATING], 1, 'sudo: a password is required\n']);
    });

    it('has the shell that root is given there, if it reads its input, say who it is and end', async () => {
      const sudo = [program('reader', 'exec dash')];
      const { lines, code } = await through(shell, { processes: { 7: [MASTER, OTHERS] }, sudo });
      assert.deepEqual([lines, code], [[ELEVATING, 'nhu1 read by dash'], 64]);
    });

    it('runs nothing where there is no sudo, and names it', async () => {
      const sudo = [join(folder, 'nowhere', 'sudo'), '-n'];
      const { lines, code, stderr } = await through(shell, { processes: { 7: [MASTER, OTHERS] }, sudo });
      assert.deepEqual([lines, code], [[ELEVATING], 127]);
      assert.match(stderr, /nowhere\/sudo/);
    });
  });
}

/** Whoever reads it line by line from standard input, as if there were no preface: the last line of defence. */
describe('the gate without a preface', () => {
  const { command: line, input } = startOf({ entry: 'once', elevate: 'asNeeded', marker: MARKER, sudo: ['false'] });
  const end = PREFACE.length + Number(/count=(\d+)/.exec(line)?.[1]);

  for (const shell of ['sh', 'bash', 'dash', 'mksh', 'busybox sh', 'rbash', 'zsh', 'tcsh', 'fish']) {
    it(`ends with its input under ${shell}`, { skip: notInstalled(shell) }, async () => {
      const gate = `${input.slice(PREFACE.length, end).replaceAll(/^#/gm, '')}\nnhu1\t${MARKER}\tsudo=false\n`;
      const { code } = await command(shell.split(' '), { input: gate, timeout: 10_000 });
      assert.notEqual(code, null, 'it had to be killed');
    });
  }
});
