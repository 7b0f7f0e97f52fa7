import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AS_USER, attackedHost, PID_OF_WORKERS, SERVICE, unit } from '../support/attacked-host.ts';
import { ATTACKER, as } from '../support/hostile.ts';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { untouched } from '../support/untouched.ts';
import { underLoad } from '../support/web-host.ts';

const SECRET = `for n in $(seq 500); do echo '2026/01/01 00:00:00 [error] 7#7: SECRET of root'; done >/root/secret.log && chmod 600 /root/secret.log`;

const UNTIL_READY = `until grep -qE '^phase=(ready|retired)' /var/lib/nginx-hot-upgrade/run-web-nginx.pid/upgrade 2>/dev/null; do sleep 0.05; done`;

/** Stops whatever runs with our rights while two generations are there; writes down how many that were. */
const STOPPER = `while (1) {
  -e "/run/nginx.pid.oldbin" or next;
  open my $f, "<", "/proc/loadavg"; my ($last) = <$f> =~ /(\\d+)$/;
  my $n = kill STOP => grep { $_ != $$ } $last - 40 .. $last + 2;
  if ($n) { $all += $n; open my $out, ">", "/var/tmp/stopped"; print $out $all }
}`;

/** setxattr(2): the user whose number comes second may write to what comes first (linux/posix_acl_xattr.h). */
const ACCESS_LIST = `my ($path, $uid) = @ARGV; my ($name, $none) = ("system.posix_acl_access", 0xffffffff);
my $list = pack "L<" . "S<S<L<" x 5, 2, 1, 7, $none, 2, 7, $uid, 4, 5, $none, 16, 7, $none, 32, 5, $none;
syscall(188, $path, $name, $list, length $list, 0) == 0 or die "setxattr: $!";`;

/** As www-data: puts what FROM names in the place of INTO at the moment that the new binary takes its place. */
const onSwap = (from: string, into: string) =>
  `exec perl -e 'my $file = "/usr/sbin/nginx"; my $old = (stat $file)[1]; 1 while $old eq ((stat $file)[1] // 0); rename "${from}", "${into}"'`;

describe("the user of nginx's workers", { skip: noHosts(), timeout: 300_000 }, () => {
  const web = attackedHost('owners-workers');
  const { made, leaves, plan, starts, upgrade, isRefused, isUpgraded } = web;

  test('cannot speak for root, or keep it waiting, by the output of what root runs with his rights', async () => {
    await made(PID_OF_WORKERS);
    await web.install('thief');
    await web.sh(as('www-data', `printf '@0 {"v":1}\\n4711\\n' >/var/tmp/says`));
    await leaves(
      'www-data',
      'exec /usr/local/bin/thief /var/tmp/says head tail dd sh mv rm ln test cat stat >/var/tmp/taken',
    );
    for (let times = 0; times < 5; times += 1) {
      const { code, ms, host, output } = await web.product.run('status');
      assert.deepEqual([code, host.state, ms < 15_000], [0, 'idle', true], output);
    }
    const { host, ms, output } = await isUpgraded({ 'pid-file': '/run/a/nginx.pid' });
    assert.ok(ms < 30_000, output);
    assert.equal(String(host.newMaster?.pid), await web.sh('cat /run/a/nginx.pid'), output);
    const back = await web.product.run('rollback');
    assert.deepEqual([back.code, back.report.outcome, await web.serving()], [0, 'rolled-back', '1.22.1'], back.output);
    assert.match(await web.sh('cat /var/tmp/taken'), /^took /, 'the thief took nothing, so nothing was shown');
  });

  test('cannot have a file of root told by a link that the new master opens as its log', async () => {
    const attacked = async () => {
      await made(`chown www-data /var/log/nginx
        ${SECRET}
        ${as('www-data', 'ln -s /root/secret.log /var/log/nginx/x')}`);
      await leaves('www-data', onSwap('/var/log/nginx/x', '/var/log/nginx/error.log'));
      const run = starts({ 'canary-time': '5s' });
      await run.until(web.reaches('ready'));
      return { run, opened: await web.sh('readlink /proc/$(cat /run/nginx.pid)/fd/2') };
    };
    let { run, opened } = await attacked();
    // He has a few milliseconds for it, which not every attempt hits.
    for (let tries = 1; opened !== '/root/secret.log'; tries += 1) {
      assert.ok(tries < 5, `the link came too late ${tries} times, so nothing was shown: ${opened}`);
      await run.ended;
      await web.reset();
      ({ run, opened } = await attacked());
    }
    await web.sh(as('www-data', 'kill -KILL $(pgrep -P "$(cat /run/nginx.pid)")'));
    const { host, output } = await run.ended;
    // His own log, which he hides: nothing is told of what it would have said.
    assert.equal(host.outcome, 'upgraded', output);
    assert.doesNotMatch(JSON.stringify(host) + output, /SECRET/);
  });

  test('cannot have another instance upgraded by a link in place of the directory of a pid file', async () => {
    await made(`install -d /srv && install -d -o www-data /srv/site /srv/site/run
      sed -e 's,/run/nginx.pid,/srv/site/run/nginx.pid,' -e 's,listen 80,listen 81,' /etc/nginx/nginx.conf >/etc/nginx/a.conf
      touch -d '2 hours ago' /etc/nginx/a.conf
      cp /usr/sbin/nginx /usr/sbin/nginx-a && /usr/sbin/nginx-a -c /etc/nginx/a.conf
      until [ -s /srv/site/run/nginx.pid ]; do sleep 0.02; done
      ${as('www-data', 'mv /srv/site/run /srv/site/kept && ln -s /run /srv/site/run')}`);
    await isRefused(['pid-file-wrong'], () => upgrade({ 'pid-file': '/srv/site/run/nginx.pid' }));
  });

  test('cannot have a plan give him a file of root, or make one, by links where nginx opens and makes files', async () => {
    await made(`chown www-data /var/lib/nginx /var/log/nginx && cp -p /etc/shadow /etc/shadow-kept
      ${as(
        'www-data',
        'cd /var/lib/nginx && mv body b && ln -s /etc/shadow body; cd /var/log/nginx && mv error.log e && ln -s /etc/made error.log',
      )}`);
    const { code, host, output } = await untouched(web, () => plan());
    assert.equal(code, 0, output);
    assert.equal(await web.sh('stat -c "%U %a" /etc/shadow; ls /etc/made 2>/dev/null || :'), 'root 640');
    assert.match(output, /paths-of-others: .*\/var\/lib\/nginx \(user 33\)/);
    assert.match(output, /was not tested: others could have `nginx -t`, as root, change/);
    assert.equal(host.state, 'idle');
  });

  test('cannot have the only master ended on advice, by a worker that calls itself one', async () => {
    await made(`cat >/usr/local/lib/retitle.pl <<'END'
my ($pid) = @ARGV; open my $stat, '<', "/proc/$pid/stat"; my $text = <$stat>; $text =~ s/^.*\\) //s;
open my $memory, '+<', "/proc/$pid/mem" or die $!; sysseek $memory, (split ' ', $text)[45], 0;
syswrite $memory, "nginx: master process /usr/sbin/nginx\\0" or die $!;
END
      ${as('www-data', 'perl /usr/local/lib/retitle.pl $(pgrep -P "$(cat /run/nginx.pid)" | head -n 1)')}`);
    assert.equal(await web.sh(`pgrep -fc '^nginx: master'`), '2');
    const { output } = await plan();
    assert.doesNotMatch(output, new RegExp(`kill -QUIT ${await web.sh('cat /run/nginx.pid')}\\b`));
    await isUpgraded();
  });

  test('cannot keep an upgrade from being closed by a pid file that nobody can mend', async () => {
    await made(PID_OF_WORKERS);
    const held = await upgrade({ 'auto-commit': 'false', 'hold-timeout': '5s' });
    assert.deepEqual([held.code, held.report.outcome], [0, 'held'], held.output);
    await leaves(
      'www-data',
      'cd /run/a; while [ -e nginx.pid.oldbin ]; do :; done; rm -f nginx.pid; echo 1 >nginx.pid; chmod 500 .',
    );
    const books = '/var/lib/nginx-hot-upgrade/run-a-nginx.pid';
    await web.sh(`n=0; while [ -e ${books}/upgrade ] && [ $((n += 1)) -lt 250 ]; do sleep 0.1; done
      [ ! -e ${books}/upgrade ] || { tail -n 5 ${books}/journal.jsonl; exit 1; }`);
    assert.match(await web.sh(`cat ${books}/last`), /outcome=(rolled-back|changed-by-others)/);
    assert.equal(await web.serving(), '1.22.1');
  });

  test('cannot have an answer thrown away by a line of a log that is longer than any answer', async () => {
    await made('chown www-data /var/log/nginx /var/log/nginx/error.log');
    const run = starts({ 'canary-time': '60s' });
    await run.until(web.reaches('ready'));
    await web.sh(`${as(
      'www-data',
      `pid=$(cat /run/nginx.pid); { printf '2026/01/01 00:00:00 [alert] %s#%s: worker process 1 exited on signal 9 ' $pid $pid; head -c 3000000 /dev/zero | tr '\\0' x; echo; } >>/var/log/nginx/error.log`,
    )}
      kill -KILL $(pgrep -P "$(cat /run/nginx.pid)")`);
    const { code, host, ms, output } = await run.ended;
    assert.deepEqual([code, host.outcome, ms < 40_000], [1, 'rolled-back', true], output.slice(0, 4000));
    assert.ok(Buffer.byteLength(JSON.stringify(host)) < 200_000);
  });
});

describe('the user that the master of a service runs as', { skip: noHosts(), timeout: 300_000 }, () => {
  const web = attackedHost('owners-service');
  const { made, leaves, plan, starts, upgrade, isRefused } = web;
  const OWN_CONFIG = `chown www-data /etc/nginx /etc/nginx/nginx.conf && install -d -o www-data /srv/www`;

  test('gets nothing of root run in a user namespace where his master has every capability', async () => {
    await web.put([await nginxBuild('1.26.3', 'own-userns')]);
    await made(`systemctl stop nginx && install -m 755 /root/nginx-1.26.3-own-userns /usr/sbin/nginx
      ${SERVICE}\n${unit(...AS_USER)}`);
    const rights = 'grep -E "^CapAmb" "/proc/$(cat /run/web/nginx.pid)/status"';
    assert.match(await web.sh(rights), /ffffffff$/, 'it has no such capabilities: nothing was shown');
    await isRefused(['master-user'], () => plan());
    await isRefused(['master-user'], () => upgrade());
    const { code, host, output } = await web.product.run('status');
    assert.deepEqual([code, host.version], [0, null], output);
  });

  test('is not let out of what his unit shuts him in by a test of his configuration', async () => {
    const shut = ['NoNewPrivileges=yes', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'SystemCallFilter=~@mount'];
    await made(`${SERVICE}\n${OWN_CONFIG}\n${unit(...AS_USER, ...shut)}`);
    const { code, output } = await plan();
    assert.equal(code, 0, output);
    assert.match(output, /not tested: the unit shuts nginx in/);
    // A file of his that only a test would open says whether there was one.
    const { value } = await underLoad(web, () => upgrade({ rehearse: 'true' }));
    assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
  });

  test('cannot have a file of root told by a path that leads elsewhere for root than for him', async () => {
    await made(`${SERVICE}\n${SECRET}\ninstall -d -o www-data /srv/www /srv/www/log
      sed -i 's,^error_log.*,error_log /proc/self/root/srv/www/log/error.log;,' /etc/nginx/nginx.conf; touch -d '2 hours ago' /etc/nginx/nginx.conf
      ${unit(...AS_USER)}
      ${as('www-data', 'cd /srv/www/log && mv error.log first && : >error.log')}`);
    const run = starts({ 'canary-time': '60s' });
    await run.until(web.sh(UNTIL_READY));
    await web.sh(
      as(
        'www-data',
        'cd /srv/www/log && mv error.log other && ln -s /root/secret.log error.log; kill -KILL "$(cat /run/web/nginx.pid)"',
      ),
    );
    const { code, host, output } = await run.ended;
    assert.deepEqual([code, host.outcome], [1, 'rolled-back'], output);
    assert.doesNotMatch(JSON.stringify(host) + output, /SECRET/);
  });

  test("cannot have told what root's own programs write by naming their log as his", async () => {
    await made(`${SERVICE}\n${OWN_CONFIG}\ninstall -d -m 700 /root/app && : >/root/app/secret.log
      cp -p /etc/nginx/nginx.conf /srv/www/honest.conf && chmod 644 /srv/www/honest.conf && chown www-data /srv/www/honest.conf
      ${unit(...AS_USER)}
      sed -i 's,^error_log.*,error_log /root/app/secret.log;,' /etc/nginx/nginx.conf; touch -d '2 hours ago' /etc/nginx/nginx.conf
      (for n in $(seq 400); do echo '2026/01/01 00:00:00 [error] 7#7: SECRET of root' >>/root/app/secret.log; sleep 0.05; done) >/dev/null 2>&1 &`);
    await leaves(
      'www-data',
      'until ls -d /usr/sbin/.nginx-hot-upgrade-* >/dev/null 2>&1; do :; done; mv /srv/www/honest.conf /etc/nginx/nginx.conf',
    );
    const run = starts({ 'canary-time': '60s' });
    const ready = await Promise.race([web.sh(UNTIL_READY).then(() => true), run.ended.then(() => false)]);
    if (ready) await web.sh(as('www-data', 'sleep 0.5; kill -KILL "$(cat /run/web/nginx.pid)"'));
    const { code, host, output } = await run.ended;
    assert.deepEqual([code, host.outcome], [1, ready ? 'rolled-back' : 'refused'], output);
    assert.doesNotMatch(JSON.stringify(host) + output, /SECRET/);
  });

  test('cannot keep root busy by what his configuration includes', async () => {
    await made(`${SERVICE}\n${OWN_CONFIG}\n${unit(...AS_USER)}\ncp -p /etc/nginx/nginx.conf /root/honest.conf`);
    const LINES = {
      'names without end': 'include /*/*/*/*/*/*/*/*/*/*;',
      "other processes' roots": 'include /proc/*/root/proc/*/root/proc/*/root/proc/*/root/*;',
      'a pipe': 'include /srv/www/pipe;',
      'a device': 'include /srv/www/zero;',
      'lines without end': 'include /srv/www/listens;',
    };
    await web.sh(
      as(
        'www-data',
        'cd /srv/www && mkfifo pipe && ln -s /dev/zero zero && yes "listen 80;" | head -n 300000 >listens',
      ),
    );
    for (const [what, line] of Object.entries(LINES)) {
      await web.sh(
        `{ echo '${line}'; cat /root/honest.conf; } >/etc/nginx/nginx.conf; touch -d '2 hours ago' /etc/nginx/nginx.conf`,
      );
      const { code, ms, output } = await web.product.run('status');
      assert.deepEqual([what, code, ms < 40_000], [what, 0, true], output);
      await web.sh(
        `n=0; while pgrep -f 'nginx-hot-upgrade sessio[n]' >/dev/null; do [ $((n += 1)) -lt 100 ] || exit 1; sleep 0.1; done`,
      );
    }
  });
});

describe('the owner of something that nginx reads or lies in', { skip: noHosts(), timeout: 300_000 }, () => {
  const web = attackedHost('owners-others');
  const { made, leaves, plan, upgrade, isRefused } = web;

  test('has his part of the configuration read, with his rights', async () => {
    const site = 'server { listen 81; location = / { return 200 ok; } }';
    await made(`install -d -o mallory -m 700 /etc/nginx/sites && sed -i 's,server {,include /etc/nginx/sites/*.conf;\\n server {,' /etc/nginx/nginx.conf
      ${as('mallory', `umask 077; echo '${site}' >/etc/nginx/sites/m.conf; ln -s /etc/shadow /etc/nginx/sites/shadow.conf`)}
      rm /etc/nginx/sites/shadow.conf; systemctl restart nginx; touch -d '2 hours ago' /etc/nginx/nginx.conf /etc/nginx/sites/m.conf`);
    const { code, report, output } = await untouched(web, () => plan());
    assert.deepEqual([code, report.outcome], [0, 'planned'], output);
    // That it was read is seen where it says something else than what is served.
    await web.sh(
      as(
        'mallory',
        `sed -i 's/listen 81/listen 82/' /etc/nginx/sites/m.conf; touch -d '2 hours ago' /etc/nginx/sites/m.conf`,
      ),
    );
    await isRefused(['listen-changed'], () => plan());
  });

  test('cannot keep root waiting by a file that becomes a pipe while it is read', async () => {
    await made(`install -d -g mallory -m 2775 /etc/nginx/sites && sed -i 's,server {,include /etc/nginx/sites/*.conf;\\n server {,' /etc/nginx/nginx.conf
      echo '# none' >/etc/nginx/sites/m.conf; systemctl restart nginx; touch -d '2 hours ago' /etc/nginx/nginx.conf /etc/nginx/sites/m.conf
      ${as('mallory', 'mkfifo /etc/nginx/sites/f')}`);
    await leaves(
      'mallory',
      'cd /etc/nginx/sites; while :; do mv -T m.conf x; mv -T f m.conf; mv -T m.conf f; mv -T x m.conf; done',
    );
    for (let times = 0; times < 6; times += 1) {
      const { code, ms, output } = await web.product.run('status');
      assert.deepEqual([code, ms < 40_000], [0, true], output);
    }
  });

  test("does not pass for root where he may write to root's directory by its group, or by an access list", async () => {
    await made('');
    await web.sh(`systemctl stop nginx && install -d -m 775 /opt/web && install /usr/sbin/nginx /opt/web/nginx && rm /usr/sbin/nginx
      ${unit('ExecStartPre=', 'ExecStart=', 'ExecStart=/opt/web/nginx')}
      touch -d '2 hours ago' /etc/nginx/nginx.conf; usermod -aG root mallory`);
    const writes = 'setpriv --reuid=mallory --regid=mallory --init-groups sh -c "touch /opt/web/x && rm /opt/web/x"';
    await web.sh(writes);
    await isRefused(['binary-directory'], () => plan());
    await web.sh(`gpasswd -d mallory root; chmod 755 /opt/web; ! ${writes} 2>/dev/null`);
    assert.equal((await plan()).report.outcome, 'planned');
    await web.sh(`perl -e '${ACCESS_LIST}' /opt/web $(id -u mallory); ${writes}`);
    await isRefused(['binary-directory'], () => plan());
  });

  test('cannot keep a rollback from happening by stopping what root runs with his rights', async () => {
    web.spoil();
    await web.sh(`${ATTACKER}
      systemctl stop nginx && install -d -o mallory /home/mallory/web && install -o mallory /usr/sbin/nginx /home/mallory/web/nginx && rm /usr/sbin/nginx
      ${unit('ExecStartPre=', 'ExecStart=', 'ExecStart=/home/mallory/web/nginx')}
      touch -d '2 hours ago' /etc/nginx/nginx.conf`);
    await leaves('mallory', `exec perl -e '${STOPPER}'`);
    const { value } = await underLoad(web, () =>
      upgrade({ allow: 'binary-directory', 'confirm-timeout': '5s', 'ready-timeout': '5s' }),
    );
    assert.ok(['upgraded', 'rolled-back', 'failed'].includes(value.report.outcome), value.output);
    // Each of its steps may have to be ended after ten seconds.
    await web.closes(120_000);
    assert.equal(await web.sh(`pgrep -fc '^nginx: master'`), '1');
    assert.ok(Number(await web.sh('cat /var/tmp/stopped')) > 0, 'nothing was stopped, so nothing was shown');
  });
});
