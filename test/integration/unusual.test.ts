import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { digest } from '../support/helper-instance.ts';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick, type Inputs } from '../support/product.ts';
import { configured, testRefusals, type RefusedCase } from '../support/refusals.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

/** A script that changes the unit of nginx and starts it anew. */
const unit = (...lines: string[]) => `mkdir -p /etc/systemd/system/nginx.service.d
printf '%s\\n' '[Service]' ${lines.map((line) => `'${line}'`).join(' ')} >/etc/systemd/system/nginx.service.d/test.conf
systemctl daemon-reload && systemctl restart nginx`;

/** A script that lets the unit run nginx from a release directory, by the path `argv0`. */
const released = (argv0: string) => `install -D /usr/sbin/nginx /opt/web/1/sbin/nginx && ln -s 1 /opt/web/current
rm /usr/sbin/nginx && ln -s /opt/web/current/sbin/nginx /usr/sbin/nginx
${unit('ExecStartPre=', 'ExecStart=', `ExecStart=${argv0}`)}`;

/** A script that prepares a master that is no root. */
const NOT_ROOT = `chown -R www-data /var/log/nginx /var/lib/nginx
sed -i -e '/^user /d' -e 's,/run/nginx.pid,/run/web/nginx.pid,' /etc/nginx/nginx.conf
touch -d '2 hours ago' /etc/nginx/nginx.conf`;
const AS_USER = ['User=www-data', 'RuntimeDirectory=web', 'PIDFile=/run/web/nginx.pid'];

/** Hosts that differ from most and can be upgraded. */
describe('an upgrade of an unusual host', { skip: noHosts(), timeout: 240_000 }, () => {
  const web = webHost('unusual');

  async function made(script: string) {
    web.spoil();
    await web.sh(script);
    web.before = await snapshotHost(web);
  }

  async function upgraded(script: string, inputs: Inputs = {}, binary = newer) {
    await made(script);
    const { value } = await underLoad(web, () => web.product.run('upgrade', '--binary', binary, ...quick(inputs)));
    const { code, report, host, output } = value;
    assert.deepEqual([code, report.outcome, host.state], [0, 'upgraded', 'idle'], output);
    assert.equal(await web.serving(), '1.26.3');
    return { host, codes: host.warnings.map((warning) => warning.code) };
  }

  test('whose unit sees its own /tmp and a read-only system goes as any, rehearsed too', async () => {
    const { host } = await upgraded(
      unit(
        'PrivateTmp=yes',
        'ProtectSystem=strict',
        'ProtectHome=yes',
        'ReadWritePaths=/run /var/log/nginx /var/lib/nginx',
      ),
      { rehearse: 'true' },
    );
    assert.match(host.notes.join('\n'), /^Rehearsed: /m);
    await web.atRest({ committed: true, sha256: digest(readFileSync(newer)) });
  });

  test('whose configuration only the running master cannot read is found by the rehearsal', async () => {
    await made(`mkdir /etc/nginx/hidden && echo '# nothing' >/etc/nginx/hidden/a.conf
      ${unit('InaccessiblePaths=/etc/nginx/hidden')}
      ${configured("sed -i '1i include /etc/nginx/hidden/a.conf;' /etc/nginx/nginx.conf", 'long ago')}`);
    const before = await web.processes();
    const run = () => web.product.run('upgrade', '--binary', newer, ...quick({ rehearse: 'true' }));
    const { value } = await underLoad(web, run);
    const { code, report, host, output } = value;
    assert.deepEqual([code, report.outcome], [1, 'refused'], output);
    assert.deepEqual(
      host.refusals.map((refusal) => refusal.code),
      ['config-test-failed'],
    );
    assert.match(host.refusals[0]?.message ?? '', /hidden\/a\.conf" failed \(2: No such file/);
    assert.deepEqual(await web.processes(), before);
    await web.atRest();
  });

  for (const argv0 of ['/usr/sbin/nginx', '/opt/web/current/sbin/nginx']) {
    test(`whose ${argv0} is a link into a release replaces the file there, and leaves the links`, async () => {
      await upgraded(released(argv0));
      const links = 'readlink /usr/sbin/nginx /opt/web/current; find /opt/web/1/sbin -type f';
      assert.deepEqual((await web.sh(links)).trim().split('\n'), [
        '/opt/web/current/sbin/nginx',
        '1',
        '/opt/web/1/sbin/nginx',
      ]);
      assert.match(await web.sh('/opt/web/1/sbin/nginx -v 2>&1'), /1\.26\.3/);
      await web.sh('systemctl restart nginx');
      assert.equal(await web.serving(), '1.26.3');
    });
  }

  test('whose master keeps a cache manager, a loader, a privileged agent and a unix socket goes as any, and back', async () => {
    const extras = 'http { proxy_cache_path /var/lib/nginx/cache keys_zone=c:1m; server { listen unix:/run/app.sock; }';
    await upgraded(
      `sed -i 's,^http {,${extras},' /etc/nginx/nginx.conf && systemctl restart nginx`,
      {},
      await nginxBuild('1.26.3', 'privileged-agent'),
    );
    const titles = async () =>
      (await web.sh('ps -o args= -C nginx')).match(/(?<=nginx: )(?!worker|master).*(?= process)/g);
    assert.deepEqual((await titles())?.sort(), ['cache loader', 'privileged agent']);
    await upgraded('curl -sS --unix-socket /run/app.sock http://a/', {}, await nginxBuild('1.26.3', 'big'));
    assert.deepEqual((await titles())?.sort(), ['cache loader', 'cache manager']);
    const { code, report, output } = await web.product.run('rollback');
    assert.deepEqual([code, report.outcome], [0, 'rolled-back'], output);
    assert.deepEqual((await titles())?.sort(), ['cache loader', 'privileged agent']);
    await web.sh('curl -sS --unix-socket /run/app.sock http://a/');
  });

  test('whose binary has file capabilities gives them to the new file, and a master that is no root lives by them', async () => {
    const { codes } = await upgraded(
      `setcap cap_net_bind_service=ep /usr/sbin/nginx\n${NOT_ROOT}\n${unit(...AS_USER)}`,
    );
    assert.ok(codes.includes('capabilities'), codes.join());
    assert.match(await web.sh('getcap /usr/sbin/nginx'), /cap_net_bind_service=ep/);
    assert.match(await web.sh('ps -o user= -C nginx | sort -u'), /^www-data$/m);
    await web.sh('systemctl restart nginx');
    assert.equal(await web.serving(), '1.26.3');
  });

  test('whose master is no root and was given the right to its ports by its unit goes as any, and back', async () => {
    const ambient = 'AmbientCapabilities=CAP_NET_BIND_SERVICE';
    await upgraded(`${NOT_ROOT}\n${unit(...AS_USER, ambient)}`, { rehearse: 'true' });
    assert.match(await web.sh('ps -o user= -C nginx | sort -u'), /^www-data$/m);
    const { code, report, output } = await web.product.run('rollback');
    assert.deepEqual([code, report.outcome], [0, 'rolled-back'], output);
    assert.equal(await web.serving(), '1.22.1');
  });
});

/** A script that makes the kernel say so of the unit's cgroup: hosts in containers have no controllers of their own. */
const cgroupSays = (files: Record<string, number>) => `dir=/sys/fs/cgroup/system.slice/nginx.service
mount -t tmpfs none "$dir"
${Object.entries(files)
  .map(([name, value]) => `echo ${value} >"$dir/${name}"`)
  .join('\n')}`;

const REFUSED: RefusedCase[] = [
  {
    what: 'a unit without memory for a second generation',
    host: cgroupSays({ 'memory.max': 2 ** 26, 'memory.current': 2 ** 26 - 4096 }),
    codes: ['memory'],
  },
  {
    what: 'a unit without room for as many processes again',
    host: cgroupSays({ 'pids.max': 9, 'pids.current': 3 }),
    codes: ['process-limit'],
  },
  {
    what: 'a master that is no root, and whose user may not have as many processes again',
    host: `${NOT_ROOT}\n${unit(...AS_USER, 'AmbientCapabilities=CAP_NET_BIND_SERVICE', 'LimitNPROC=4')}`,
    codes: ['process-limit'],
  },
  {
    what: 'a master of the login that only root may look into, and whose directory is no matter of root',
    host: `systemctl stop nginx
      install -D -o deploy /usr/sbin/nginx /home/deploy/web/sbin/nginx && cd /home/deploy/web && mkdir logs temp
      setcap cap_net_bind_service=ep sbin/nginx
      printf '%s\\n' 'pid /home/deploy/web/nginx.pid;' 'error_log /home/deploy/web/logs/error.log;' 'events {}' 'http { access_log off;' \\
        'client_body_temp_path temp/b; proxy_temp_path temp/p; fastcgi_temp_path temp/f;' \\
        'uwsgi_temp_path temp/u; scgi_temp_path temp/s; server { listen 80; } }' >nginx.conf
      touch -d '2 hours ago' nginx.conf && chown -R deploy . && setcap cap_net_bind_service=ep sbin/nginx
      setpriv --reuid=deploy --regid=deploy --clear-groups /home/deploy/web/sbin/nginx -p /home/deploy/web/ -c /home/deploy/web/nginx.conf -e /home/deploy/web/logs/e`,
    inputs: { 'health-url': 'none', 'pid-file': '/home/deploy/web/nginx.pid' },
    codes: ['master-user'],
  },
  {
    what: 'a link `current` that leads to another release than the one that runs',
    host: `${released('/opt/web/current/sbin/nginx')}
      install -D /opt/web/1/sbin/nginx /opt/web/2/sbin/nginx && ln -sfn 2 /opt/web/current`,
    codes: ['argv0-not-running-file'],
  },
];

describe('preflight of an unusual host', { skip: noHosts(), timeout: 240_000 }, () => {
  testRefusals(webHost('unusual-refused'), REFUSED, { binary: newer });
});
