import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bootHost, noHosts, type TestHost } from '../support/hosts.ts';
import { productFor, type Finished } from '../support/product.ts';
import { waitFor } from '../support/wait.ts';

/*
 * Every program that a login may have, in each of the three places where one is given. Where it runs the command that it
 * is given, `status` answers; else it is refused within seconds, and nothing stays behind on the host.
 */

/** Where a program is named. `exec` also where it reads our program from standard input, or waits for nothing. */
const PLACES = ['shell', 'exec', 'forced'] as const;
type Place = (typeof PLACES)[number];

interface Login {
  name: string;
  /** With its arguments. */
  program: string;
  /** What the refusal says; undefined: the command is run. */
  says: Record<Place, RegExp | undefined>;
}

const SHELLS = ['bash', 'fish', 'zsh', 'tcsh', 'dash', 'mksh'];

/** Runs commands as a login shell; in the other places it is given none, and reads. */
const runsCommands = (name: string): Login => {
  const reads = new RegExp(`the login runs (?:/bin/)?${name}, which reads its standard input`);
  return { name, program: `/bin/${name}`, says: { shell: undefined, exec: reads, forced: reads } };
};
const always = (name: string, program: string, says: RegExp): Login => {
  return { name, program, says: { shell: says, exec: says, forced: says } };
};

// Those that keep us waiting first, beside which the others run.
const LOGINS: Login[] = [
  always('sleep', '/bin/sleep 1000', /nothing that was sent was run within 15 s/),
  ...SHELLS.map(runsCommands),
  { ...runsCommands('rbash'), says: { ...runsCommands('rbash').says, shell: /rbash: .*restricted/ } },
  always('nologin', '/usr/sbin/nologin', /This account is currently not available/),
  always('cat', '/bin/cat', /the login's program sends back what it is sent/),
];

/** One login for each: they run side by side. */
const userOf = ({ name }: Login, place: Place) => `${place}-${name}`;

// As a login shell a program gets `-c COMMAND`: those with words of their own are called by a script without it.
const SETUP = LOGINS.flatMap((login) =>
  PLACES.map((place) => {
    const { name, program } = login;
    const wrapped = ['cat', 'sleep'].includes(name);
    const shell = place !== 'shell' ? '/bin/bash' : wrapped ? `/usr/local/bin/only-${name}` : program;
    return `add ${userOf(login, place)} ${shell} ${place} '${program}'
      ${wrapped ? `printf '#!/bin/sh\\nexec %s\\n' '${program}' >/usr/local/bin/only-${name}; chmod 755 /usr/local/bin/only-${name}` : ''}`;
  }),
).join('\n');

const ADD = `set -eu
add() {
  useradd --create-home --shell "$2" "$1"
  echo "$1 ALL=(ALL) NOPASSWD: ALL" >>/etc/sudoers.d/logins
  install -d -m 700 -o "$1" -g "$1" "/home/$1/.ssh"
  key=$(cat /root/.ssh/authorized_keys)
  [ "$3" != forced ] || key="command=\\"$4\\" $key"
  echo "$key" >"/home/$1/.ssh/authorized_keys"
  [ "$3" != exec ] || { echo "exec $4"; cat "/home/$1/.bashrc"; } >"/home/$1/bashrc"
  [ "$3" != exec ] || mv "/home/$1/bashrc" "/home/$1/.bashrc"
}
`;

/** Processes of the logins, and all of the host but for what systemd starts and ends for a login's session. */
const OURS = `ps -e -o user:32=,args= | grep -E '^(${PLACES.join('|')})-' | grep -v -E 'systemd --user|\\(sd-pam\\)|sshd: ' || :`;
const COUNT = `ps -e -o args= | grep -c -v -E '\\(sd-pam\\)|systemd --user|^ps |^grep |^\\['`;

/** Some of them only wait; forty runs in all. */
const AT_ONCE = 5;

describe('a login', { skip: noHosts(), timeout: 240_000 }, () => {
  let host: TestHost;
  let atFirst = 0;
  const count = async () => Number((await host.run(COUNT)).stdout);
  const left = async () => (await host.run(OURS)).stdout.trim().replaceAll(/ +/g, ' ');

  before(async () => {
    host = await bootHost('login-shells');
    const { code, stderr } = await host.run(ADD + SETUP);
    assert.equal(code, 0, stderr);
    atFirst = await count();
  });
  after(() => host.stop());

  describe('that runs', { concurrency: AT_ONCE }, () => {
    for (const login of LOGINS) {
      for (const place of PLACES) {
        const says = login.says[place];
        const where = { shell: 'as its shell', exec: 'by `exec` in its start file', forced: 'forced on it' }[place];
        test(`${login.name} ${where} is ${says === undefined ? 'answered' : 'refused within seconds'}`, async () => {
          const user = userOf(login, place);
          const product = productFor(host, { targets: `${user}@${host.address}` });
          const times = place === 'shell' && login.name !== 'sleep' ? 2 : 1;
          for (const each of await Promise.all(Array.from({ length: times }, () => product.run('status')))) {
            if (says === undefined) assert.equal(each.code, 0, each.output);
            else assertRefused(each, says);
          }
        });
      }
    }
  });

  test('is left with no process where the run is cancelled while it is silent', async () => {
    const mine = async () => (await left()).split('\n').filter((line) => line === 'shell-sleep /bin/sleep 1000');
    await waitFor('its earlier ones to end', async () => (await mine()).length === 0, 5_000);
    const run = productFor(host, { targets: `shell-sleep@${host.address}` }).start('status');
    await run.until(waitFor('its program to run', async () => (await mine()).length > 0));
    run.kill('SIGTERM');
    const { host: result } = await run.ended;
    assert.equal(result.reason?.code, 'cancelled');
    await waitFor('its program to end', async () => (await mine()).length === 0, 5_000);
  });

  test('leaves no process behind, but one that was forced on it and reads nothing', async () => {
    // sshd sends no signal to what it forced on a login, and closing its input is nothing to who does not read.
    const forced = 'forced-sleep /bin/sleep 1000';
    await waitFor('the rest to end', async () => (await left()) === forced, 5_000).catch(() => {});
    assert.equal(await left(), forced);
    await host.run('pkill -KILL -x -u forced-sleep sleep');
    await waitFor('as many processes as before', async () => (await count()) === atFirst, 5_000);
  });
});

function assertRefused({ code, output, host, ms }: Finished, says: RegExp): void {
  assert.deepEqual([code, host.refusals.map((each) => each.code)], [1, ['shell-denied']], output);
  assert.match(host.refusals[0]?.message ?? '', says);
  assert.ok(ms < 30_000, `${ms} ms`);
}
