import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AS_USER, attackedHost, SERVICE, unit } from '../support/attacked-host.ts';
import { ATTACKER, as, pretender, quoted } from '../support/hostile.ts';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { untouched } from '../support/untouched.ts';
import { underLoad } from '../support/web-host.ts';

/** A name that ends a value of a book of lines and begins others; an upgrade would then be of /usr/bin/date. */
const LINES = ['a', 'work=/var/tmp/w', 'bin=/usr/bin/date', 'logs=0 0 '].join('\n');

/** Bytes of a title that nobody can read to its end. */
const ENDLESS = 2 ** 36;

describe('a local user of a target', { skip: noHosts(), timeout: 300_000 }, () => {
  const web = attackedHost('attacks');

  const { made, upgrade, plan, isRefused, isUpgraded } = web;

  test('cannot make lines of the books out of the name of a log directory', async () => {
    await made(`chown www-data /var/log/nginx
      ${as(
        'www-data',
        `mkdir /var/tmp/w && cp /bin/false /var/tmp/w/new && ln -s /usr/bin/date /var/tmp/w/old
        mkdir -p ${quoted(`/var/log/nginx/${LINES}`)} && mv /var/log/nginx/error.log ${quoted(`/var/log/nginx/${LINES}/q`)}`,
      )}`);
    const date = 'sha256sum /usr/bin/date; stat -c "%i %U %a" /usr/bin/date';
    const before = await web.sh(date);
    await isRefused(['unsafe-path'], upgrade);
    assert.equal(await web.sh(date), before);
  });

  test('cannot have a directory of root removed by renaming the working directory of his master', async () => {
    await made(`${SERVICE}
      install -d -o www-data /srv/site /srv/site/run && install -d -m 700 /root/precious && touch /root/precious/file
      ${unit(...AS_USER, 'WorkingDirectory=/srv/site/run')}
      ${as('www-data', `mkdir -p ${quoted('/srv/site/a\nwork=/root')} && mv /srv/site/run ${quoted('/srv/site/a\nwork=/root/precious')}`)}`);
    await isRefused(['unsafe-path'], () => plan());
    await isRefused(['unsafe-path'], upgrade);
    assert.equal(await web.sh('ls /root/precious'), 'file');
  });

  test('cannot have a setuid program copied by a master of his that claims to be one', async () => {
    await made(`${SERVICE}\n${unit(...AS_USER, 'ExecStart=', 'ExecStart=@/usr/sbin/nginx /usr/bin/sudo')}
      (while :; do find /usr/bin -perm /6000 -path '*hot-upgrade*' ! -name old >>/root/seen; done) >/dev/null 2>&1 &`);
    const inputs = { allow: 'argv0-not-running-file' };
    await isRefused(['path-not-of-unit'], () => upgrade(inputs));
    await isRefused(['path-not-of-unit'], () => plan(inputs));
    assert.equal(await web.sh('cat /root/seen'), '');
  });

  test('cannot end the helper or the guard by the name of a process', async () => {
    await made(
      ['a\\nb', 'a) S 1\\n', '\\n\\n\\n', ') Z 1 1 1 1'].map((name) => pretender({ user: 'mallory', name })).join('\n'),
    );
    const status = await web.product.run('status');
    assert.deepEqual([status.code, status.host.state], [0, 'idle'], status.output);
    await underLoad(web, async () => {
      const held = await upgrade({ 'auto-commit': 'false', 'hold-timeout': '5s' });
      assert.deepEqual([held.code, held.report.outcome], [0, 'held'], held.output);
      await web.closes(10_000);
    });
    assert.equal(await web.serving(), '1.22.1');
    await web.atRest();
  });

  test("cannot stop the guard by the names of the old workers, which are another user's", async () => {
    await web.put([await nginxBuild('1.26.3', 'odd-names')]);
    await made(
      'systemctl stop nginx && install -m 755 /root/nginx-1.26.3-odd-names /usr/sbin/nginx && systemctl start nginx',
    );
    assert.equal(await web.sh('cat /proc/$(pgrep -P $(cat /run/nginx.pid) | head -n 1)/comm'), 'a\nb) S 1');
    await underLoad(web, async () => {
      const held = await upgrade({ 'auto-commit': 'false', 'hold-timeout': '5s' });
      assert.deepEqual([held.code, held.report.outcome], [0, 'held'], held.output);
      await web.closes(12_000);
    });
    await web.atRest();
    await isUpgraded();
  });

  test('cannot have another instance upgraded by writing its number into a pid file', async () => {
    await made(`install -d -o www-data /run/a && sed -e 's,/run/nginx.pid,/run/a/a.pid,' -e 's,listen 80,listen 81,' /etc/nginx/nginx.conf >/etc/nginx/a.conf
      cp /usr/sbin/nginx /usr/sbin/nginx-a && /usr/sbin/nginx-a -c /etc/nginx/a.conf
      until [ -s /run/a/a.pid ]; do sleep 0.02; done
      touch -d '2 hours ago' /etc/nginx/a.conf`);
    const first = await web.sh('cat /run/a/a.pid');
    const inputs = { 'pid-file': '/run/a/a.pid' };
    const number = async () => web.sh('cat /run/nginx.pid');
    for (const file of ['a.pid', 'a.pid.oldbin']) {
      await web.sh(as('www-data', `rm -f /run/a/a.pid; echo ${await number()} >/run/a/${file}`));
      const run = () => upgrade(inputs);
      const { code, report, output } = await untouched(web, run);
      assert.deepEqual([code, report.outcome], [1, 'refused'], output);
    }
    await web.sh(`rm -f /run/a/a.pid.oldbin; kill -QUIT ${first}; while [ -e /proc/${first} ]; do sleep 0.02; done
      ${as('www-data', `echo ${await number()} >/run/a/a.pid`)}`);
    await isRefused(['pid-file-wrong'], () => upgrade(inputs));
  });

  test('cannot stop a run by what processes call themselves, however long that is', async () => {
    await made('');
    await web.sh(
      [
        ...Array.from({ length: 12 }, () => pretender({ user: 'mallory', more: 120_000 })),
        pretender({ user: 'mallory', bytes: ENDLESS }),
        pretender({
          user: 'mallory',
          title: 'nginx: master process\\n==> /proc/1/cmdline <==\\nnginx: master process',
        }),
      ].join('\n'),
    );
    const { ms, output } = await isUpgraded();
    assert.ok(ms < 20_000, output);
    const status = await web.product.run('status');
    assert.deepEqual([status.code, status.host.version], [0, '1.26.3'], status.output);
  });

  test('cannot stop a run by a service of his whose title never ends', async () => {
    await made('');
    const words = `nginx "nginx: master process /usr/sbin/nginx" ${ENDLESS}`;
    const lines = ['[Service]', 'User=mallory', `ExecStart=/usr/bin/perl /usr/local/lib/pretend.pl ${words}`];
    await web.sh(`printf '%s\\n' ${lines.map(quoted).join(' ')} >/etc/systemd/system/mallory.service
      systemctl daemon-reload && systemctl start mallory
      until [ "$(cat /proc/$(systemctl show -p MainPID --value mallory)/comm)" = nginx ]; do sleep 0.02; done`);
    await isUpgraded({ 'pid-file': '/run/nginx.pid' });
  });

  test('cannot stop a run by a pipe in place of a pid file, nor the login before it becomes root', async () => {
    await made(`install -d -o www-data /run/a; sed -i 's,/run/nginx.pid,/run/a/a.pid,' /etc/nginx/nginx.conf
      touch -d '2 hours ago' /etc/nginx/nginx.conf
      ${unit('PIDFile=/run/a/a.pid')}
      ${as('www-data', 'mv /run/a/a.pid /run/a/kept && mkfifo /run/a/a.pid')}`);
    for (const inputs of [{}, { 'pid-file': '/run/a/a.pid' }]) {
      const { code, report, ms, output } = await untouched(web, () => upgrade(inputs));
      assert.deepEqual([code, report.outcome], [1, 'refused'], output);
      assert.ok(ms < 20_000, output);
    }
    await web.sh(as('www-data', 'rm /run/a/a.pid && ln -s /dev/zero /run/a/a.pid'));
    const zero = await untouched(web, () => upgrade());
    assert.deepEqual([zero.code, zero.report.outcome], [1, 'refused'], zero.output);
    // Mended, all is well, although the directory is another user's.
    await web.sh(as('www-data', 'rm /run/a/a.pid && mv /run/a/kept /run/a/a.pid'));
    await isUpgraded();
    assert.equal(await web.sh('ls /run/a'), 'a.pid');
  });

  test('cannot have a file of root told by putting a link to it in place of a log', async () => {
    await made(`chown www-data /var/log/nginx
      for n in $(seq 500); do echo '2026/01/01 00:00:00 [error] 7#7: SECRET of root'; done >/root/secret.log && chmod 600 /root/secret.log`);
    const run = web.starts({ 'canary-time': '60s' });
    await run.until(web.reaches('ready'));
    await web.sh(
      as(
        'www-data',
        'cd /var/log/nginx && mv error.log other && ln -s /root/secret.log error.log && ln -s /root/secret.log error.log.1',
      ),
    );
    await web.sh('kill -KILL $(pgrep -P "$(cat /run/nginx.pid)")');
    const { code, host, output } = await run.ended;
    assert.deepEqual([code, host.outcome, host.reason?.code], [1, 'rolled-back', 'workers-crashing'], output);
    assert.doesNotMatch(JSON.stringify(host) + output, /SECRET/);
    assert.match(host.evidence?.errorLog.join('\n') ?? '', /exited on signal 9/);
    assert.equal(await web.serving(), '1.22.1');
  });

  test('cannot forge what a rehearsal found', async () => {
    await made(`${SERVICE}\n${unit(...AS_USER)}
      (while :; do for p in /usr/sbin/.nginx-hot-upgrade-*/pipe; do
        [ ! -p "$p" ] || setpriv --reuid=www-data --clear-groups sh -c 'printf "stub 0,\\"ok\\":false,\\"reason\\":\\"x\\"\\nstub 0\\",1\\n" >"$0"' "$p"
      done; done) >/dev/null 2>&1 &`);
    const { code, report, host, output } = await upgrade({ rehearse: 'true' });
    assert.ok(['upgraded', 'refused'].includes(report.outcome), output);
    assert.equal(code, report.outcome === 'upgraded' ? 0 : 1);
    assert.doesNotMatch(JSON.stringify(host.reason), /internal/);
  });
});

describe("root's nginx in a directory of a user", { skip: noHosts(), timeout: 300_000 }, () => {
  const web = attackedHost('attacks-place');
  const { upgrade } = web;
  const OWN = `${ATTACKER}
    systemctl stop nginx && install -d -o mallory /home/mallory/web && install -o mallory /usr/sbin/nginx /home/mallory/web/nginx
    rm /usr/sbin/nginx
    ${unit('ExecStartPre=', 'ExecStart=', 'ExecStart=/home/mallory/web/nginx')}`;

  test('is refused, and where that is accepted, nothing of root is made there', async () => {
    web.spoil();
    await web.sh(OWN);
    const refusal = await untouched(web, () => upgrade());
    assert.deepEqual(
      refusal.host.refusals.map(({ code }) => code),
      ['binary-directory'],
      refusal.output,
    );
    assert.match(refusal.host.refusals[0]?.fix ?? '', /`allow: binary-directory`/);
    const roots =
      'find /home/mallory -user root; find /home/mallory/web -name ".nginx*" -printf "%U %m %f\\n" | cut -d- -f1';
    const { value } = await underLoad(web, () => upgrade({ allow: 'binary-directory', 'auto-commit': 'false' }));
    assert.deepEqual([value.code, value.report.outcome], [0, 'held'], value.output);
    assert.equal(await web.sh(roots), `${await web.sh('id -u mallory')} 700 .nginx`);
    const { value: done } = await underLoad(web, () => web.product.run('commit'));
    assert.deepEqual([done.code, done.report.outcome], [0, 'upgraded'], done.output);
    assert.equal(await web.sh(roots), '');
    assert.equal(
      await web.sh('stat -c "%U %a" /home/mallory/web/nginx; ls -A /home/mallory/web'),
      'mallory 755\nnginx',
    );
    const { value: back } = await underLoad(web, () => web.product.run('rollback'));
    assert.deepEqual([back.code, back.report.outcome, await web.serving()], [0, 'rolled-back', '1.22.1'], back.output);
    assert.equal(await web.sh(roots), '');
  });

  test('is refused for good where several users can write there', async () => {
    web.spoil();
    await web.sh(`${OWN}\nchown root:www-data /home/mallory/web && chmod 775 /home/mallory/web`);
    const { host, output } = await untouched(web, () => upgrade({ allow: 'binary-directory' }));
    assert.deepEqual(
      host.refusals.map(({ code }) => code),
      ['binary-directory'],
      output,
    );
    assert.doesNotMatch(host.refusals[0]?.fix ?? '', /allow:/);
  });
});
