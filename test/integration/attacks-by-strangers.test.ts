import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attackedHost } from '../support/attacked-host.ts';
import { as, quoted } from '../support/hostile.ts';
import { noHosts } from '../support/hosts.ts';
import { untouched } from '../support/untouched.ts';

const OLD = `touch -d '2 hours ago' /etc/nginx/nginx.conf`;
const WITH_UNIX = `sed -i 's,listen 80;,listen 80; listen unix:/run/web.sock;,' /etc/nginx/nginx.conf; systemctl restart nginx; ${OLD}`;

/** Names an abstract socket so that the table of them has a line more, which speaks of another one's inode. */
const forged = (inode: string, line: string) => `use Socket; my $i = ${inode};
socket(my $s, AF_UNIX, SOCK_STREAM, 0); bind($s, pack("S a*", AF_UNIX, "\\0x${line}")) or die; sleep 600`;
const UNIX_INODE = `(map { (split)[6] } grep { m{ /run/web.sock$} } do { open my $f, "<", "/proc/net/unix"; <$f> })[0]`;
const UDP_INODE = `(map { (split)[9] } grep { /:14B4 / } do { open my $f, "<", "/proc/net/udp"; <$f> })[0]`;

/** A client of nginx that asks for a path again and again. */
const asking = (path: string, seconds: number) => `use IO::Socket::INET; while (1) {
  my $s = IO::Socket::INET->new("127.0.0.1:80") or next; print $s "GET ${path} HTTP/1.0\\r\\n\\r\\n"; local $/; <$s>; select undef, undef, undef, ${seconds} }`;

describe('a stranger on a target', { skip: noHosts(), timeout: 300_000 }, () => {
  const web = attackedHost('strangers');
  const { made, leaves, plan, starts, upgrade, isUpgraded } = web;
  const perl = (script: string) => leaves('mallory', `exec perl -e ${quoted(script)}`);
  /** Waits until the table of unix sockets holds what he named. */
  const named = () => web.sh(`until grep -q '@x' /proc/net/unix; do sleep 0.05; done`);

  test('cannot hide a listener, or make another kind of it, by the name of a socket of his', async () => {
    await made(
      `${WITH_UNIX}; echo 'stream { server { listen 5300 udp; return ok; } }' >>/etc/nginx/nginx.conf; systemctl restart nginx; ${OLD}`,
    );
    await perl(forged(UNIX_INODE, '\\n0: 2 0 00000000 1 1 $i y'));
    await perl(forged(UDP_INODE, '\\n0: 2 0 00010000 1 1 $i /run/y'));
    await named();
    const { code, report, output } = await untouched(web, () => plan());
    assert.deepEqual([code, report.outcome], [0, 'planned'], output);
  });

  test('cannot make an outage stay by a socket of his that bears the name of one', async () => {
    await made(WITH_UNIX);
    await perl(forged('0', ' /run/web.sock'));
    await named();
    const held = await upgrade({ 'auto-commit': 'false', 'hold-timeout': '60s' });
    assert.equal(held.report.outcome, 'held', held.output);
    await web.sh(`kill -KILL $(pgrep -f '^nginx: master')`);
    await web.closes(30_000);
    assert.equal(
      await web.sh(`sed -n 's/^outcome=//p' /var/lib/nginx-hot-upgrade/run-nginx.pid/last; systemctl is-active nginx`),
      'outage\nactive',
    );
    assert.equal(await web.serving(), '1.22.1');
  });

  test('cannot have words of his requests taken for words of nginx', async () => {
    await made('');
    const said = async (path: string) =>
      web.sh(`until grep -q '${path}' /var/log/nginx/error.log; do sleep 0.05; done`);
    await perl(asking('/processes%20can%20be%20spawned', 0.004));
    await perl(asking('/worker%20process%205%20exited%20on%20signal%209', 0.05));
    await Promise.all([said('processes can be spawned'), said('exited on signal 9')]);
    const run = starts({ rehearse: 'true', 'bake-time': '5s' });
    await run.until(web.reaches('retired'));
    await web.sh('kill -HUP "$(cat /run/nginx.pid)"');
    const { code, report, output } = await run.ended;
    assert.deepEqual([code, report.outcome], [0, 'upgraded'], output);
    assert.doesNotMatch(output, /Do not reload/);
  });

  test('has no program of his run because it lies in the PATH of the login', async () => {
    await made(`install -d -o mallory /opt/team/bin
      ${as('mallory', String.raw`for each in dd cat sed id uname readlink sh; do printf '%s\n' '#!/bin/sh' 'echo "$0 as $(/usr/bin/id -un)" >>/var/tmp/ran' "exec /usr/bin/$each \"\$@\"" >/opt/team/bin/$each; chmod 755 /opt/team/bin/$each; done`)}
      : >/var/tmp/ran; chmod 666 /var/tmp/ran
      sed -i '/^PATH=/d' /etc/environment; echo 'PATH=/opt/team/bin:/usr/local/bin:/usr/bin:/bin' >>/etc/environment`);
    const { code, output } = await web.product.run('status');
    assert.equal(code, 0, output);
    assert.equal(await web.sh('cat /var/tmp/ran'), '');
    await isUpgraded();
  });

  test('cannot hide nginx among thousands of processes, nor among thousands that bear its name', async () => {
    await made('');
    for (const title of ['sleeper', 'nginx: master process x']) {
      await leaves('mallory', `for n in $(seq 1500); do (exec -a ${quoted(title)} sleep 600) & done; wait`);
      await web.sh(`until [ "$(pgrep -xc sleep)" -ge 1500 ]; do sleep 0.2; done`);
      const { code, host, output } = await web.product.run('status');
      assert.deepEqual([code, host.state, host.version], [0, 'idle', '1.22.1'], output);
      await web.sh('pkill -KILL -x -u mallory sleep; while pgrep -x sleep -u mallory >/dev/null; do sleep 0.1; done');
    }
  });
});
