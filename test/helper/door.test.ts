import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { mustRun } from '../support/command.ts';
import { programThat } from '../support/helper-program.ts';
import { noShell, type Shell, SHELLS } from '../support/helper-session.ts';
import { PRETEND, quoted } from '../support/hostile.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { waitFor } from '../support/wait.ts';

const notRoot = process.getuid?.() !== 0 && 'needs root, to be somebody else';
const NOBODY = 65534;

/** Prints what `body` prints with the helper's functions, as root; `proc` stands for /proc where it is given. */
async function told(shell: Shell, body: string, proc?: string): Promise<string> {
  const program = programOf(body);
  const file = saved(proc === undefined ? program : program.replaceAll('/proc/', `${proc}/`));
  return (await mustRun([...shell.split(' '), file], { timeout: 30_000 })).trimEnd();
}

/** The same as nobody. */
async function toldToNobody(body: string): Promise<string> {
  const as = ['setpriv', `--reuid=${NOBODY}`, '--clear-groups'];
  return (await mustRun([...as, 'dash', saved(programOf(body))], { timeout: 30_000 })).trimEnd();
}

function programOf(body: string): string {
  return programThat(`boot_id; my_uid\n${body}`);
}

function saved(program: string): string {
  const dir = ownTempDir();
  chmodSync(dir, 0o755);
  const file = join(dir, 'program.sh');
  writeFileSync(file, program);
  return file;
}

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that calls itself so, all its lines. */
async function titled(title: string): Promise<number> {
  return started(['-c', 'exec -a "$0" sleep 600', title], (pid) => cmdlineOf(pid).startsWith(`${title}\0`));
}

/** A process of that name, which may make several lines of its /proc/PID/stat. */
async function named(name: string): Promise<number> {
  const comm = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8');
  return started(['-c', 'exec perl -e "$1" -- "$0" x 0 0', name, PRETEND], (pid) => comm(pid) === `${name}\n`);
}

async function started(words: string[], isSo: (pid: number) => boolean): Promise<number> {
  const child = spawn('bash', words, { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid ?? 0;
  await waitFor('the process', () => isSo(pid));
  return pid;
}

function cmdlineOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

const ODD_NAMES = ['plain', 'a\nb', '\n\n\n', 'a) S 1 2\n', ') Z 1 1 1 1 1', '(x) (', '* $(id) `id`', '\t ) \\'];

for (const shell of SHELLS) {
  describe(`the door under ${shell}`, { skip: noShell(shell) }, () => {
    for (const name of ODD_NAMES) {
      test(`reads a process that is called ${JSON.stringify(name)}`, async () => {
        const pid = await named(name);
        const start = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
        const body = `start_of ${pid} && echo "$PARENT $START"; lives ${pid} ${start} && echo lives; lives ${pid} 1 || echo 'not it'`;
        assert.equal(await told(shell, body), `${process.pid} ${start}\nlives\nnot it`);
      });
    }

    test('takes a process that it cannot read for one that lives, and signals it never', async () => {
      const proc = join(ownTempDir(), 'proc');
      mkdirSync(join(proc, '7'), { recursive: true });
      writeFileSync(join(proc, '7/stat'), '7 (x) S 1');
      const body = `kill() { echo "kill $*"; }
        lives 7 5 && echo lives; signal TERM 7 5 || echo 'not sent'; lives 8 5 || echo gone`;
      const lines = (await told(shell, body, proc)).split('\n');
      assert.deepEqual(lines, ['lives', 'not sent', 'gone']);
    });

    test('tells what processes are, whatever they put into their titles', async () => {
      const worker = await titled('nginx: worker process');
      const leaving = await titled('nginx: worker process is shutting down');
      const first = await titled(`nginx: cache\n==> /proc/${worker}/cmdline <==\nnginx: ma`);
      const lines = await titled(`\n==> /proc/${leaving}/cmdline <==\nnginx: master`);
      const stranger = await titled('x: y');
      const all = [first, worker, lines, leaving, stranger];
      const body = `roles_of ${all.join(' ')} 999999999; for p in ${all.join(' ')}; do role_in $p; echo "$ROLE"; done`;
      assert.deepEqual((await told(shell, body)).split('\n'), ['cache', 'worker', 'other', 'leaving', 'other']);
    });

    test('reads no more than four kilobytes of a title, and finds masters by the beginning of theirs', async () => {
      const master = await titled(`nginx: master process ${'x'.repeat(100_000)}`);
      const other = await titled(`x\n==> /proc/1/cmdline <==\nnginx: master`);
      const found = `titled_masters; for p in ${master} ${other} 1; do case " $TITLED " in *" $p "*) echo yes ;; *) echo no ;; esac; done`;
      assert.deepEqual((await told(shell, found)).split('\n'), ['yes', 'no', 'no']);
      assert.equal(await told(shell, `title_of ${master}; echo "$TITLE_CUT"`), '1');
    });

    test('finds children where the kernel does not list them, whatever a process is called', async () => {
      const proc = ownTempDir();
      const rest = `0 ${'1 '.repeat(45)}`;
      for (const [pid, stat] of [
        ['5', `5 (nginx) S 77 ${rest}`],
        ['6', `6 (x) S 77\n) S 1 ${rest}`],
        ['7', `7 (a\nb) S 77 ${rest}`],
        ['8', `8 (zombie) Z 77 ${rest}`],
      ] as const) {
        mkdirSync(join(proc, pid));
        writeFileSync(join(proc, pid, 'stat'), `${stat}\n`);
      }
      assert.equal((await told(shell, 'children_of 77; echo $CHILDREN', proc)).trim(), '5 7');
    });

    test('names the unit that systemd made, never one that a service makes below its own', async () => {
      const proc = ownTempDir();
      const cases: [cgroup: string, unit: string][] = [
        ['/system.slice/nginx.service', 'nginx.service'],
        ['/system.slice/system-nginx.slice/nginx@a.service', 'nginx@a.service'],
        ['/system.slice/web.service/ssh.service', 'web.service'],
        ['/system.slice/web.service/a.slice/ssh.service', 'web.service'],
        ['/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service', ''],
        ['/user.slice/user-1000.slice/session-1.scope', ''],
        ['/system.slice', ''],
        ['/', ''],
      ];
      for (const [index, [cgroup]] of cases.entries()) {
        mkdirSync(join(proc, String(index)));
        writeFileSync(join(proc, String(index), 'cgroup'), `1:name=systemd:${cgroup}\n0::${cgroup}\n`);
      }
      const body = `systemctl() { :; }; i=0; while [ $i -lt ${cases.length} ]; do unit_of $i; echo "[$UNIT]"; i=$((i + 1)); done`;
      assert.deepEqual(
        (await told(shell, body, proc)).split('\n'),
        cases.map(([, unit]) => `[${unit}]`),
      );
    });

    test('believes no line of the table of unix sockets that the name of another socket makes', async () => {
      const dir = ownTempDir();
      const proc = join(dir, 'proc');
      mkdirSync(join(proc, '7/net'), { recursive: true });
      const row = (inode: number, flags: string, path: string) =>
        `0000000000000000: 00000002 00000000 ${flags} 0001 01 ${String(inode).padStart(5)} ${path}\n`;
      const [listens, not] = ['00010000', '00000000'];
      writeFileSync(
        join(proc, '7/net/unix'),
        `Num RefCount Protocol Flags Type St Inode Path\n${row(11, listens, '/run/a b.sock')}${row(12, not, '')}${row(13, listens, '/run/c.sock')}` +
          row(99, listens, `/tmp/x\n${row(12, listens, '/run/evil')}${row(13, not, '')}`),
      );
      const body = `OM=7; DIRECTIVES=known SOCKETS=$NL; socket_table 7 '11 12 13' unix; printf '%s' "$SOCKETS" | sort`;
      assert.deepEqual((await told(shell, body, proc)).trim().split('\n'), ['11 unix /run/a b.sock', '12 -', '13 -']);
    });

    test('lists descriptors line by line, whatever a file is called', async () => {
      const dir = join(ownTempDir(), 'x\nlrwx------ 1 0 0 64 Jan 1 00:00 9 -> socket:[4242]\n');
      mkdirSync(dir);
      const child = spawn('sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore'] });
      children.push(child);
      const body = `exec 7>${quoted(join(dir, 'log'))}
        descriptors_of /proc/$$/fd | awk 'NF == 11 && $11 ~ /4242/'; descriptors_of /proc/$$/fd | awk '$9 == 7' | wc -l`;
      assert.equal((await told(shell, body)).trim(), '1');
    });
  });
}

describe('what others say of what they were asked', { skip: notRoot }, () => {
  for (const shell of SHELLS) {
    test(`is no arithmetic under ${shell}`, { skip: noShell(shell) }, async () => {
      const mark = join(ownTempDir(), 'mark');
      const body = `as_theirs() { printf '%s\\n' 'a[$(touch ${mark})] f' '12 g' '7 h'; }; say() { echo "$1: $2"; }
        AS=theirs CONFIG_FILES=/etc/nginx/nginx.conf; newest_config`;
      assert.equal(await told(shell, body), 'newest: 12 g');
      assert.equal(existsSync(mark), false);
    });
  }

  test('is of their part of the configuration, and led by them', async () => {
    const said = [
      '@0@main\tinclude\t/root/x',
      'main\tpid\t/p',
      'http.server\tlisten\t82',
      'http\tinclude\t/a',
      'x\ty\tz\t1',
    ];
    const body = (context: string) => `read_directives() { printf '${said.join('\\n')}\\n'; }; CONFIG_BY=0
      read_as ${NOBODY} '${context}' /x`;
    const own = `http.server\tlisten\t82\n@${NOBODY}@http\tinclude\t/a`;
    assert.equal(await told('dash', body(`ctx=@${NOBODY}@http`)), own);
    for (const odd of ['http.x main', 'http.x@main', 'http.x=main'])
      assert.equal(await told('dash', body(`ctx=@${NOBODY}@${odd}`)), '', odd);
    assert.match(await told('dash', body(`ctx=@${NOBODY}@main`)), /^main\tpid\t\/p$/m);
  });

  test('is what a file of theirs includes, wherever it lies: as they may read it', async () => {
    const dir = ownTempDir();
    chmodSync(dir, 0o755);
    const file = (name: string, text: string, mode = 0o644) => writeFileSync(join(dir, name), text, { mode });
    file('nginx.conf', 'include m.conf;');
    file('m.conf', 'http { include secret.conf; include s*.conf; include open.conf; }');
    chownSync(join(dir, 'm.conf'), NOBODY, NOBODY);
    file('secret.conf', 'server { listen 4711; }', 0o600);
    file('open.conf', 'server { listen 82; }');
    assert.equal(
      await told('dash', `C_LOG=''; config_of '${dir}/nginx.conf'; printf '%s' "$DIRECTIVES"`),
      'http.server\tlisten\t82',
    );
    chownSync(join(dir, 'm.conf'), 0, 0);
    assert.match(
      await told('dash', `C_LOG=''; config_of '${dir}/nginx.conf'; printf '%s' "$DIRECTIVES"`),
      /listen\t4711/,
    );
  });

  for (const as of ['', 'setpriv --reuid=nobody']) {
    test(`ends in its time, whatever keeps its pipe, where it is ${as === '' ? 'ours' : 'that of another user'}`, async () => {
      const pid = join(ownTempDir(), 'pid');
      const body = `AS='' S_as='${as}'; heard 1 99 sh -c 'sleep 60 & echo $! >${pid}; echo said'; echo ended; kill "$(cat ${pid})"`;
      const start = performance.now();
      assert.equal(await told('dash', body), 'ended');
      assert.ok(performance.now() - start < 20_000);
    });
  }

  test('is where nginx was built to write, whether quotes stand around it or not', async () => {
    const dir = ownTempDir();
    chmodSync(dir, 0o755);
    const led = made(dir, 'led', { mode: 0o755, uid: NOBODY });
    const body = (flag: string) => `AS='' PREFIX=/ PIDF=/run/n.pid LOGFILE=/var/x DIRECTIVES=''
      OLD_V="nginx version: nginx/1 configure arguments: --prefix=/ ${flag}"; led_paths /usr; printf '%s' "$LED"`;
    for (const flag of [`--http-log-path=${led}/a.log`, `--http-proxy-temp-path='${led}/p'`]) {
      assert.equal(await told('dash', body(flag)), `${led}: ${NOBODY}`);
    }
  });

  test('is no file but where the pattern lies', async () => {
    const dir = ownTempDir();
    chmodSync(dir, 0o755);
    const own = made(dir, 'own', { mode: 0o755, uid: NOBODY });
    const body = `as_theirs() { printf '%s\\n' /etc/shadow '${own}/a.conf' 'ctx=main'; }; CONFIG_BY=0 AS=''
      expand '${own}/*.conf' http; echo "$EXPANDED_BY$EXPANDED"`;
    assert.equal(await told('dash', body), `@${NOBODY}@${own}/a.conf`);
  });

  test('is no listener where nginx is told to listen elsewhere', async () => {
    const proc = ownTempDir();
    mkdirSync(join(proc, '7/net'), { recursive: true });
    const lines = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      '0: 00000003 00000000 00000000 0001 03 100',
      '0: 00000002 00000000 00010000 0001 01 900 @x',
      '0: 2 0 00010000 1 1 100 /run/dbus/system_bus_socket',
      '0: 2 0 00010000 1 1 200 /run/y',
      '0: 2 0 00000000 1 1 200 y',
      '0: 00000002 00000000 00010000 0001 01 200 /run/w s.sock',
      '0: 00000002 00000000 00010000 0001 01 300 /run/alone.sock',
      '0: 2 0 00010000 1 1 400 /run/w s.sock',
    ];
    writeFileSync(join(proc, '7/net/unix'), `${lines.join('\n')}\n`);
    writeFileSync(join(proc, '7/net/udp'), 'a\n1 2 3 07 5 6 7 8 9 400\n');
    const body = `SOCKETS=$NL S_unix='8:1 /run/w s.sock|'; unix_table 7 '100 200 300 400'; echo "$SOCKETS" | sort`;
    const found = await told('dash', body, proc);
    assert.equal(found.trim(), '100 -\n200 unix /run/w s.sock\n300 unix /run/alone.sock');
  });
});

describe('what is read by a path', { skip: notRoot }, () => {
  /** A place and whose it is. */
  const PLACES: [what: string, make: (dir: string) => string, whose: string][] = [
    ['of root alone', (dir) => made(dir, 'a', { mode: 0o755 }), ''],
    ['of one other user', (dir) => made(dir, 'a', { mode: 0o755, uid: NOBODY }), String(NOBODY)],
    [
      'below one of another user',
      (dir) => made(made(dir, 'a', { mode: 0o755, uid: NOBODY }), 'b', { mode: 0o755 }),
      String(NOBODY),
    ],
    [
      'of two other users',
      (dir) => made(made(dir, 'a', { mode: 0o755, uid: NOBODY }), 'b', { mode: 0o755, uid: 1 }),
      'several',
    ],
    ['that everybody may write to', (dir) => made(dir, 'a', { mode: 0o777 }), 'several'],
    ['like /tmp', (dir) => made(dir, 'a', { mode: 0o1777 }), 'several'],
    ['of root below one like /tmp', (dir) => made(made(dir, 'a', { mode: 0o1777 }), 'b', { mode: 0o755 }), ''],
    [
      'that a group with members may write to',
      (dir) => made(dir, 'a', { mode: 0o775, gid: groupOf(NOBODY) }),
      'several',
    ],
    ['that a group without members may write to', (dir) => made(dir, 'a', { mode: 0o775, gid: 54321 }), ''],
    ['that the group of root may write to', (dir) => made(dir, 'a', { mode: 0o775 }), ''],
    [
      'behind a link into one of another user',
      (dir) => {
        symlinkSync(made(made(dir, 'a', { mode: 0o755, uid: NOBODY }), 'b', { mode: 0o755 }), join(dir, 'link'));
        return join(dir, 'link');
      },
      String(NOBODY),
    ],
    [
      'behind a link in one of another user, although it leads to one of root',
      (dir) => linked(made(dir, 'a', { mode: 0o755, uid: NOBODY }), '/etc'),
      String(NOBODY),
    ],
    [
      'behind a link of root to a link in one of another user',
      (dir) => linked(dir, linked(made(dir, 'a', { mode: 0o755, uid: NOBODY }), '/etc')),
      String(NOBODY),
    ],
    [
      'behind a link of another user in one like /tmp',
      (dir) => {
        const link = linked(made(dir, 'a', { mode: 0o1777 }), '/etc');
        lchownSync(link, NOBODY, NOBODY);
        return link;
      },
      String(NOBODY),
    ],
    ['behind a link of root in one like /tmp', (dir) => linked(made(dir, 'a', { mode: 0o1777 }), '../../../etc'), ''],
    ['behind a link to itself', (dir) => linked(dir, 'link'), 'several'],
    ['that is not there', (dir) => join(dir, 'none'), 'several'],
    ['with a newline in its name', (dir) => made(dir, 'a\nb', { mode: 0o755 }), 'several'],
  ];
  for (const [what, make, whose] of PLACES) {
    test(`is ${whose === '' ? "root's" : whose === 'several' ? 'of several' : "that user's"} in a directory ${what}`, async () => {
      const dir = ownTempDir();
      chmodSync(dir, 0o755);
      const place = quoted(make(dir));
      const body = `place_of ${place}; echo "[$PLACE]"; look_up_places /usr ${place} /etc; place_of ${place}; echo "[$PLACE]"; place_of /etc; echo "[$PLACE]"`;
      assert.equal(await told('dash', body), `[${whose}]\n[${whose}]\n[]`);
    });
  }

  const PID_FILES: [what: string, make: string, text: string][] = [
    ['holds a number', 'echo 123 >"$f"', '123'],
    ['holds more than that', 'echo "123 45" >"$f"', '(no number)'],
    ['holds a number that is none', 'echo 12345678901 >"$f"', '(no number)'],
    ['is empty', ': >"$f"', ''],
    ['is a pipe', 'mkfifo "$f"', ''],
    ['is a directory', 'mkdir "$f"', ''],
    ['is a socket', `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1) or die' "$f"`, ''],
    ['leads to a device that never ends', 'ln -s /dev/zero "$f"', ''],
    [
      'leads to a file of root that only root can read',
      'echo 4711 >"$d/../secret"; chmod 600 "$d/../secret"; ln -s "$d/../secret" "$f"',
      '',
    ],
    ['has no end', 'truncate -s 64G "$f"; chown nobody "$f"', ''],
  ];
  for (const [what, make, text] of PID_FILES) {
    test(`is no more than a number and never waits where a pid file of another user ${what}`, async () => {
      const dir = ownTempDir();
      chmodSync(dir, 0o755);
      const own = made(dir, 'own', { mode: 0o755, uid: NOBODY });
      const body = `umask 022; d=${own} f=$d/n.pid; ${make}; pid_in "$f"; echo "[$PID_TEXT]"`;
      const start = performance.now();
      assert.equal(await told('dash', body), `[${text}]`);
      assert.ok(performance.now() - start < 5_000);
    });
  }

  test('is no more than a number and never waits where a pid file of our own has no end, and we are not root', async () => {
    const dir = ownTempDir();
    chmodSync(dir, 0o755);
    const own = made(dir, 'own', { mode: 0o755, uid: NOBODY });
    const body = `f=${own}/n.pid; truncate -s 64G "$f"; pid_in "$f"; echo "[$PID_TEXT]"; echo 123 >"$f"; pid_in "$f"; echo "[$PID_TEXT]"`;
    assert.equal(await toldToNobody(body), '[]\n[123]');
  });

  test('is a log through the descriptor of the master, wherever its name leads by now', async () => {
    const dir = ownTempDir();
    chmodSync(dir, 0o755);
    const logs = made(dir, 'logs', { mode: 0o755, uid: NOBODY });
    const [log, secret] = [join(logs, 'error.log'), join(dir, 'secret')];
    writeFileSync(log, '[error] old\n');
    writeFileSync(secret, '[error] SECRET\n'.repeat(100), { mode: 0o600 });
    const body = `exec 2>>${log}; S_om=$$ S_as='' S_nm='' LOGFILE=${log}; logs_from_here; echo '[error] new' >&2
      mv ${log} ${log}.moved; ln -s ${secret} ${log}; ln -s ${secret} ${log}.1
      new_log_lines error; echo "$LINES_FOUND"; case $S_logs in *SECRET*) echo told ;; esac`;
    assert.equal(await told('dash', body), '[error] new');
  });

  test('is a log of another user only as that user may read it, and never a pipe', async () => {
    const dir = ownTempDir();
    chmodSync(dir, 0o755);
    const logs = made(dir, 'logs', { mode: 0o755, uid: NOBODY });
    const [log, secret] = [join(logs, 'error.log'), join(dir, 'secret')];
    writeFileSync(log, '[error] old\n');
    writeFileSync(secret, '[error] SECRET\n'.repeat(100), { mode: 0o600 });
    const body = (change: string) => `S_om=1 S_as='setpriv --reuid=nobody' S_nm='' LOGFILE=${log}
      S_logs="$(stat -c '%s %d:%i' ${log}) ${log}|"; ${change}
      new_log_lines error; echo "[$LINES_FOUND]"`;
    assert.equal(await told('dash', body(`echo '[error] new' >>${log}`)), '[[error] new]');
    assert.equal(await told('dash', body(`mv ${log} ${log}.x; ln -s ${secret} ${log}`)), '[]');
    assert.equal(await told('dash', body(`rm ${log}; mkfifo ${log}`)), '[]');
  });
});

function made(
  parent: string,
  name: string,
  { mode, uid = 0, gid = 0 }: { mode: number; uid?: number; gid?: number },
): string {
  const dir = join(parent, name);
  mkdirSync(dir);
  chownSync(dir, uid, gid);
  chmodSync(dir, mode);
  return dir;
}

/** A link called `link` in that directory. */
function linked(parent: string, target: string): string {
  symlinkSync(target, join(parent, 'link'));
  return join(parent, 'link');
}

function groupOf(uid: number): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.split(':')[2] === String(uid));
  return Number(line?.split(':')[3]);
}
