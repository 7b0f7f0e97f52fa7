import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { quoted } from '../support/hostile.ts';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick } from '../support/product.ts';
import { observed, underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

/** How units stop nginx, as people write it and as it is packaged. */
const UNITS: [how: string, lines: string][] = [
  ['with ExecStop by QUIT', 'ExecStop=/bin/kill -s QUIT $MAINPID'],
  ['with ExecStop by TERM', 'ExecStop=/bin/kill -s TERM $MAINPID'],
  ['with KillMode=process', 'KillMode=process\nKillSignal=SIGQUIT\nTimeoutStopSec=2'],
  ['that stops by the pid file, as nginx.org', 'ExecStop=/bin/sh -c "/bin/kill -s TERM $(/bin/cat /run/nginx.pid)"'],
  [
    'that stops by the pid file, as Debian',
    'ExecStop=-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /run/nginx.pid\nKillMode=mixed\nTimeoutStopSec=5',
  ],
];

const RESTARTS_EACH = 4;

describe('a held upgrade whose service is restarted or stopped', { skip: noHosts(), timeout: 600_000 }, () => {
  const web = webHost('restarts');

  /** Held at once, without probes: nothing here depends on them. */
  async function hold(): Promise<void> {
    const { code, report, output } = await web.product.run(
      'upgrade',
      '--binary',
      newer,
      ...quick({ 'health-url': 'none', 'bake-time': '0s', 'auto-commit': 'false' }),
    );
    assert.deepEqual([code, report.outcome], [0, 'held'], output);
    assert.equal(await web.serving(), '1.26.3');
  }

  const useUnit = async (lines: string) => {
    await web.sh(`printf '%s\n' '[Unit]' 'After=network.target' '[Service]' 'Type=forking' 'PIDFile=/run/nginx.pid' \
      'ExecStart=/usr/sbin/nginx' ${quoted(lines)} >/etc/systemd/system/nginx.service
    grep -q unix: /etc/nginx/nginx.conf || sed -i 's#listen 80;#listen 80; listen unix:/var/lib/nginx/app.sock;#' /etc/nginx/nginx.conf
    touch -d '2 hours ago' /etc/nginx/nginx.conf
    systemctl daemon-reload; systemctl restart nginx`);
    web.spoil();
  };

  /** The head of a request that never ends: a generation that is told to leave waits for it. */
  const visit = (): Socket => {
    const visitor = connect(80, web.address).on('error', () => {});
    visitor.write('GET / HTTP/1.1\r\nHost: web\r\n');
    return visitor;
  };

  /** The outcome and the why of the books that were closed last. */
  const lastWord = async () =>
    web.sh(`. /var/lib/nginx-hot-upgrade/run-nginx.pid/last; echo "$outcome $why"`).catch(() => '');

  /** The old file on disk is the one that runs, with sockets of its own. */
  const oldAtRest = async () => {
    const listener = (await snapshotHost(web)).get('listener') ?? [];
    await web.atRest({ before: new Map([...web.before, ['listener', listener]]) });
  };

  for (const [how, lines] of UNITS) {
    test(`serves the old version after each of ${RESTARTS_EACH} restarts of a unit ${how}`, async () => {
      await useUnit(lines);
      const { load } = await observed(web, async () => {
        for (let turn = 1; turn <= RESTARTS_EACH; turn += 1) {
          await hold();
          await web.sh('systemctl restart nginx');
          await web.closes(20_000);
          assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
          await oldAtRest();
          // Bound anew, by whoever runs now, and not taken away from it.
          assert.match(await web.sh('curl -sI --unix-socket /var/lib/nginx/app.sock http://web/'), /X-Nginx: 1\.22\.1/);
        }
      });
      assert.deepEqual(Object.keys(load.byVersion).sort(), ['1.22.1', '1.26.3']);
    });
  }

  test('serves the old version where the restart takes as long as somebody stays connected, and the guard is killed meanwhile', async () => {
    await useUnit(`${UNITS[0]?.[1]}\nKillSignal=SIGQUIT\nTimeoutStopSec=5`);
    await hold();
    const visitor = visit();
    await observed(web, async () => {
      const disk = await web.sh(`systemctl restart --no-block nginx; sleep 1.5
        kill -KILL $(sed -n 's/^pid=//p' /var/lib/nginx-hot-upgrade/run-nginx.pid/guard); sleep 1.5; sha256sum </usr/sbin/nginx`);
      assert.equal(`${disk.split(' ')[0]}`, web.before.get('sha256')?.[0]);
      assert.deepEqual(
        [
          await web.book('phase'),
          await web.sh('cat /var/lib/nginx-hot-upgrade/run-nginx.pid/decision 2>/dev/null || true'),
        ],
        ['held', ''],
      );
      await web.closes(20_000);
    });
    visitor.destroy();
    assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
    await oldAtRest();
  });

  test('serves the old version after needrestart, which takes the parked master for one with an old file', async () => {
    await hold();
    await observed(web, async () => {
      assert.match(await web.sh('needrestart -r a 2>&1'), /systemctl restart nginx/);
      await web.closes(20_000);
    });
    assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
    await oldAtRest();
  });

  test('leaves a service alone that somebody stopped, and the old file to whoever starts it', async () => {
    await hold();
    await observed(web, async () => {
      await web.sh('systemctl stop nginx');
      await web.closes(20_000);
    });
    assert.equal(await lastWord(), 'changed-by-others service-stopped');
    assert.equal(await web.sh(`pgrep -fc '^nginx: ' || true`), '0');
    const { code, output } = await web.product.run('status');
    assert.equal(code, 1, output);
    await web.sh('systemctl start nginx');
    assert.equal(await web.serving(), '1.22.1');
    await oldAtRest();
  });

  test('leaves it to the service manager to start the old version again after a crash of both', async () => {
    await useUnit('Restart=on-failure\nRestartSec=3');
    await hold();
    await observed(web, async () => {
      await web.sh(`kill -KILL $(pgrep -f '^nginx: ' | tr '\\n' ' ')`);
      await web.closes(20_000);
    });
    assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
    assert.equal(await web.sh(`systemctl show -p NRestarts --value nginx`), '1');
    await oldAtRest();
  });

  for (const [what, signal] of [
    ['crashes', 'KILL'],
    ['is told to quit by an operator', 'QUIT'],
  ] as const) {
    test(`goes forward, by its own name, where the old master ${what} and nobody stops the service`, async () => {
      await hold();
      const { sha256 } = (await web.product.run('status')).host;
      await underLoad(web, async () => {
        const disk = await web.sh(`kill -${signal} $(cat /run/nginx.pid.oldbin); sleep 3; sha256sum </usr/sbin/nginx`);
        assert.equal(`${disk.split(' ')[0]}`, web.before.get('sha256')?.[0], 'nobody may have restarted it yet');
        await web.closes(15_000);
      });
      assert.deepEqual([await web.serving(), await lastWord()], ['1.26.3', 'changed-by-others old-master-gone']);
      await web.atRest({ sha256: sha256 ?? '', committed: true });
      const back = await web.product.run('rollback', '--bake-time', '0s');
      assert.deepEqual(
        [back.code, back.report.outcome, await web.serving()],
        [0, 'rolled-back', '1.22.1'],
        back.output,
      );
    });
  }

  test('ends a run that still bakes as changed by others, with the old version serving', async () => {
    const bakes = web.product.start(
      'upgrade',
      '--binary',
      newer,
      ...quick({ 'health-url': 'none', 'bake-time': '60s' }),
    );
    await observed(web, async () => {
      await bakes.until(web.bakes());
      await web.sh('systemctl restart nginx');
      const { code, host, output } = await bakes.ended;
      assert.deepEqual([code, host.outcome, host.reason?.code], [1, 'rolled-back', 'changed-by-others'], output);
      await web.closes(5_000);
    });
    assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
    await oldAtRest();
  });

  test('serves the old version where it is a service of the login itself, restarted by its own service manager', async () => {
    const asDeploy = 'runuser -u deploy -- env XDG_RUNTIME_DIR=/run/user/$(id -u deploy) ';
    await web.sh(`loginctl enable-linger deploy; cd /home/deploy
      mkdir -p site/logs site/temp .config/systemd/user; install -m 755 /usr/sbin/nginx site/nginx
      sed -e '/^user/d; s#listen 80#listen 8080#; s#/run/nginx.pid#/home/deploy/site/nginx.pid#; s#/var/log/nginx#/home/deploy/site/logs#' \
        -e 's#access_log off;#access_log off; client_body_temp_path temp/b; proxy_temp_path temp/p; fastcgi_temp_path temp/f; uwsgi_temp_path temp/u; scgi_temp_path temp/s;#' \
        /etc/nginx/nginx.conf >site/nginx.conf
      printf '%s\n' '[Service]' 'Type=forking' 'PIDFile=/home/deploy/site/nginx.pid' 'KillMode=process' 'KillSignal=SIGQUIT' 'TimeoutStopSec=8' \
        'ExecStart=/home/deploy/site/nginx -p /home/deploy/site/ -c /home/deploy/site/nginx.conf' >.config/systemd/user/site.service
      chown -R deploy: site .config
      until [ -S /run/user/$(id -u deploy)/systemd/private ]; do sleep 0.05; done
      ${asDeploy} systemctl --user daemon-reload; ${asDeploy} systemctl --user start site`);
    web.spoil();
    const words = ['--pid-file', '/home/deploy/site/nginx.pid', '--sudo', ''];
    const input = quick({ 'health-url': 'none', 'bake-time': '0s', 'auto-commit': 'false' });
    const { code, report, output } = await web.product.run('upgrade', '--binary', newer, ...words, ...input);
    assert.deepEqual([code, report.outcome], [0, 'held'], output);
    const books = '/home/deploy/.local/state/nginx-hot-upgrade/home-deploy-site-nginx.pid';
    // Its main process, the parked master, goes at once; the new one is there for as long as the unit allows.
    await web.sh(`${asDeploy} systemctl --user restart site`);
    await web.sh(`until [ ! -e ${books}/upgrade ]; do sleep 0.1; done`);
    const [last, version] = (
      await web.sh(
        `sed -n 's/^outcome=//p; s/^why=//p' ${books}/last | tr '\n' ' '; echo; curl -sI http://127.0.0.1:8080/ | sed -n 's/^X-Nginx: //p'`,
      )
    ).split('\n');
    assert.deepEqual([last?.trim(), version?.trim()], ['rolled-back service-restarted', '1.22.1']);
  });

  test('tells of a service that was stopped while the new version was watched, and gives no advice about processes that are gone', async () => {
    const words = quick({ 'health-url': 'none', 'bake-time': '60s' });
    const bakes = web.product.start('upgrade', '--binary', newer, ...words);
    await bakes.until(web.bakes());
    const visitor = visit();
    await web.sh('systemctl stop nginx');
    const { code, host, output } = await bakes.ended;
    visitor.destroy();
    assert.deepEqual(
      [code, host.outcome, host.state, host.reason?.code],
      [1, 'failed', 'broken', 'changed-by-others'],
      output,
    );
    assert.match(host.reason?.message ?? '', /the service was stopped by others/);
    assert.doesNotMatch(output, /kill -/);
    assert.equal(await web.sh(`pgrep -fc '^nginx: ' || true`), '0');
    await web.sh('systemctl start nginx');
    await oldAtRest();
  });

  test('leaves a service alone that somebody stopped, also where what stops it fails', async () => {
    await useUnit(`ExecStop=/bin/sh -c "kill -QUIT $MAINPID; exit 1"`);
    await hold();
    await web.sh('systemctl stop nginx');
    await web.closes(20_000);
    assert.equal(await lastWord(), 'changed-by-others service-stopped');
    assert.equal(await web.sh(`pgrep -fc '^nginx: ' || true`), '0');
    await web.sh('systemctl reset-failed nginx; systemctl start nginx');
    await oldAtRest();
  });

  test('keeps the pid file of whoever was started while a rollback waited for the last connections', async () => {
    await hold();
    const visitor = visit();
    const back = web.product.start('rollback');
    const journal = '/var/lib/nginx-hot-upgrade/run-nginx.pid/journal.jsonl';
    await back.until(
      web.sh(`until tail -n 5 ${journal} | grep -q quit-new; do sleep 0.05; done; systemctl restart nginx`),
    );
    const { code, host, output } = await back.ended;
    visitor.destroy();
    assert.deepEqual([code, host.outcome], [0, 'rolled-back'], output);
    assert.equal(await web.sh('cat /run/nginx.pid'), await web.sh('systemctl show -p MainPID --value nginx'));
    assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
    await oldAtRest();
  });

  test('leaves one version only where the service manager ends but one process, and starts another beside the new one', async () => {
    await useUnit('KillMode=none\nExecStop=/bin/kill -s QUIT $MAINPID');
    await web.sh(`sed -i 's#listen 80;#listen 80 reuseport;#; s#listen unix:[^;]*;##' /etc/nginx/nginx.conf
      touch -d '2 hours ago' /etc/nginx/nginx.conf; systemctl stop nginx; rm -f /var/lib/nginx/app.sock; systemctl start nginx`);
    await hold();
    await web.sh('systemctl restart nginx');
    await web.closes(30_000);
    assert.deepEqual([await web.serving(), await lastWord()], ['1.22.1', 'rolled-back service-restarted']);
    assert.equal(await web.sh(`pgrep -fc '^nginx: master'`), '1');
    await oldAtRest();
  });

  test('starts an nginx without a unit again, which outlives the guard', async () => {
    await web.sh('systemctl stop nginx; /usr/sbin/nginx');
    web.spoil();
    await hold();
    await web.sh(`kill -KILL $(pgrep -f '^nginx: ' | tr '\\n' ' ')`);
    await web.closes(20_000);
    assert.match(await lastWord(), /^outage /);
    // In the cgroup of the guard's unit, which is dead.
    assert.match(await web.sh('sed "s/.*://" /proc/$(cat /run/nginx.pid)/cgroup'), /nginx-hot-upgrade-/);
    assert.equal(await web.serving(), '1.22.1');
  });
});
