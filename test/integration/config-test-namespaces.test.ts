import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { digest } from '../support/helper-instance.ts';
import { noHosts } from '../support/hosts.ts';
import { snapshotHost } from '../support/invariants.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick, type Inputs } from '../support/product.ts';
import { configured } from '../support/refusals.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');
const CONF = '/etc/nginx/nginx.conf';

/** A script that changes the unit of nginx and starts it anew. */
const unit = (...lines: string[]) => `mkdir -p /etc/systemd/system/nginx.service.d
printf '%s\\n' '[Service]' 'ExecStartPre=' ${lines.map((line) => `'${line}'`).join(' ')} >/etc/systemd/system/nginx.service.d/test.conf
systemctl daemon-reload && systemctl restart nginx`;

const OWN_TMP = ['PrivateTmp=true', 'ProtectSystem=strict', 'ReadWritePaths=/run /var/log/nginx'];
/** Made inside, where nginx starts. */
const makes = (directory: string, mode = '755') => `ExecStartPre=/bin/mkdir -m ${mode} -p ${directory}`;

const edited = (edit: string, when: 'long ago' | 'just now' = 'long ago') =>
  configured(`sed -i '${edit}' ${CONF}`, when);
const inHttp = (line: string, when?: 'just now') => edited(`s,access_log off;,${line},`, when);
const inServer = (line: string, when?: 'just now') => edited(`s,listen 80;,listen 80; ${line},`, when);

const NAMES = { body: 'client_body', proxy: 'proxy', f: 'fastcgi', u: 'uwsgi', s: 'scgi' };

/** Everything that nginx makes at its start, below `directory`. */
const below = (directory: string) =>
  [
    ...Object.entries(NAMES).map(([name, of]) => `${of}_temp_path ${directory}/${name};`),
    `access_log ${directory}/access.log;`,
    `proxy_cache_path ${directory}/cache keys_zone=c:1m use_temp_path=off;`,
  ].join(' ');

/** A change after the start, of a configuration that nobody reloaded. */
const LATER = (
  directory: string,
) => `${edited(`s,server_tokens on;,& proxy_cache_path ${directory}/more keys_zone=l:1m;,`)}
${inServer(`access_log ${directory}/later.log; scgi_temp_path ${directory}/later;`, 'just now')}`;
const DRIFT = { allow: 'config-drift' };

/** Logs grow meanwhile. */
const LISTS = `cd / && find tmp var/tmp var/log/nginx var/lib/nginx srv opt -path '*/systemd-private-*' -prune -o -name '*.log' -printf '%p %U:%G %m\\n' -o -printf '%p %y %s %U:%G %m\\n'`;

describe(
  'a test of the configuration where the master has namespaces of its own',
  { skip: noHosts(), timeout: 240_000 },
  () => {
    const web = webHost('config-test-namespaces');

    async function made(...scripts: string[]) {
      web.spoil();
      await web.sh(scripts.join('\n'));
      web.before = await snapshotHost(web);
    }

    /** What lies where a test could leave something: for us, and for the master. */
    async function files() {
      const inside = '$(command -v nsenter || echo /root/nsenter) -t "$(cat /run/nginx.pid)" -m';
      const both = `(${LISTS}); echo inside; ${inside} sh -c "${LISTS.replaceAll('\\n', '\\\\n')}"`;
      return (await web.sh(both)).split('\n');
    }

    /** Runs the product and asserts that nothing was made or changed in either namespace. */
    async function traceless(command: string, inputs: Inputs = {}) {
      const before = await files();
      const run = await web.product.run(command, '--binary', newer, ...quick(inputs));
      assert.deepEqual(await files(), before, run.output);
      return { ...run, notes: run.host.notes.join('\n'), codes: run.host.refusals.map(({ code }) => code) };
    }

    async function plans(inputs: Inputs = {}) {
      const { code, report, output, notes } = await traceless('plan', inputs);
      assert.deepEqual([code, report.outcome], [0, 'planned'], output);
      return notes;
    }

    test('finds the paths of a unit with its own /tmp, leaves nothing, and the upgrade goes as any', async () => {
      await made(
        inHttp(below('/tmp/nginx')),
        inServer('listen unix:/tmp/nginx/app.sock; location /logged { access_log /tmp/nginx/other.log; }'),
        unit(...OWN_TMP, makes('/tmp/nginx')),
      );
      assert.doesNotMatch(await plans(), /not tested/);
      const run = () => web.product.run('upgrade', '--binary', newer, ...quick());
      const { code, report, output, host } = (await underLoad(web, run)).value;
      assert.deepEqual([code, report.outcome], [0, 'upgraded'], output);
      assert.doesNotMatch(host.notes.join('\n'), /not tested/);
      await web.atRest({ committed: true, sha256: digest(readFileSync(newer)) });
    });

    test('leaves nothing in the /tmp of the host where the same directories are there as well', async () => {
      await made('mkdir /tmp/nginx', inHttp(below('/tmp/nginx')), unit(...OWN_TMP, makes('/tmp/nginx')));
      assert.doesNotMatch(await plans(), /not tested/);
    });

    test('leaves nothing in either /tmp where the paths lie directly in it, neither planned nor upgraded', async () => {
      await made(inHttp(below('/tmp')), unit(...OWN_TMP));
      assert.match(await plans(), /not tested: others could have/);
      const { code, report, output } = await traceless('upgrade');
      assert.deepEqual([code, report.outcome], [0, 'upgraded'], output);
    });

    test('removes what a changed configuration has the test make, in the namespace of the master', async () => {
      await made(unit(...OWN_TMP, makes('/tmp/nginx')));
      await web.sh(LATER('/tmp/nginx'));
      assert.doesNotMatch(await plans(DRIFT), /not tested|made what/);
    });

    test('removes the same where the namespace is ours, and what a test made that failed', async () => {
      await made('mkdir -p /srv/web /srv/real && ln -s ../real/later.log /srv/web/linked.log', LATER('/srv/web'));
      await web.sh(inServer('location /linked { access_log /srv/web/linked.log; }', 'just now'));
      assert.doesNotMatch(await plans(DRIFT), /not tested|made what/);
      await web.sh(edited('s,location = /,location /bad { access_log /srv/nowhere/a.log; } &,', 'just now'));
      const { codes, output, notes } = await traceless('upgrade', DRIFT);
      assert.deepEqual(codes, ['config-test-failed'], output);
      assert.doesNotMatch(notes, /made what/);
    });

    test('names what others lead or what was written to, and does not remove it', async () => {
      const locations = 'location /x { access_log /tmp/later.log; } location /bad { access_log /srv/nowhere/a.log; }';
      await made(inServer(locations, 'just now'));
      const run = await web.product.run('upgrade', '--binary', newer, ...quick(DRIFT));
      assert.match(run.host.notes.join('\n'), /^`nginx -t` made what was not there before .*: \/tmp\/later\.log\.$/m);
      assert.equal(await web.sh('stat -c %s /tmp/later.log'), '0');
    });

    test('refuses what is wrong in the namespace of the master, and leaves nothing', async () => {
      await made(inHttp(below('/tmp/nginx')), unit(...OWN_TMP, makes('/tmp/nginx'), 'InaccessiblePaths=/srv'));
      await web.sh(LATER('/tmp/nginx'));
      await web.sh(inServer('location /bad { access_log /srv/a.log; }', 'just now'));
      const { codes, output, host } = await traceless('upgrade', DRIFT);
      assert.deepEqual(codes, ['config-test-failed'], output);
      assert.match(host.refusals[0]?.message ?? '', /\/srv\/a\.log" failed/);
    });

    test('tests nothing for a plan where others lead what only the master sees', async () => {
      await made(
        inHttp(below('/tmp/nginx')),
        unit(...OWN_TMP, makes('/tmp/nginx'), 'ExecStartPre=/bin/chown www-data /tmp/nginx'),
      );
      const { notes, host, output } = await traceless('plan');
      assert.match(notes, /not tested: others could have/, output);
      assert.match(host.warnings.map(({ message }) => message).join('\n'), /: \/tmp\/nginx \(user 33\)$/m);
    });

    test('tests nothing for a plan where the master sees another configuration', async () => {
      await made(
        `sed 's,access_log off;,access_log /srv/later.log;,' ${CONF} >/opt/nginx.conf; touch -d '2 hours ago' /opt/nginx.conf`,
        unit(`BindReadOnlyPaths=/opt/nginx.conf:${CONF}`),
        'rm /srv/later.log',
      );
      assert.match(await plans(), /not tested: the master sees other files/);
    });

    test('finds an address that only the network of the master has', async () => {
      const network = 'ip netns add web && ip -n web link set lo up && ip -n web address add 10.9.8.7/32 dev lo';
      await made(network, inServer('listen 10.9.8.7:81;'), unit('NetworkNamespacePath=/run/netns/web'));
      const inputs = { 'health-url': 'none', 'pid-file': '/run/nginx.pid' };
      const planned = await web.product.run(
        'plan',
        '--binary',
        newer,
        ...Object.entries(inputs).flatMap(([name, value]) => [`--${name}`, value]),
      );
      assert.deepEqual([planned.code, planned.report.outcome], [0, 'planned'], planned.output);
      assert.doesNotMatch(planned.host.notes.join('\n'), /not tested/);
    });

    const FORBIDDEN = `mv /usr/bin/nsenter /root/
      printf '%s\n' '#!/bin/sh' 'echo "nsenter: reassociate to namespace failed: Operation not permitted" >&2; exit 1' >/usr/bin/nsenter
      chmod 755 /usr/bin/nsenter`;
    for (const [what, script] of [
      ['has no `nsenter`', 'mv /usr/bin/nsenter /root/'],
      ['forbids it', FORBIDDEN],
    ] as const) {
      test(`tests nothing, and says so, on a host that ${what}`, async () => {
        await made(inHttp(below('/tmp/nginx')), unit(...OWN_TMP, makes('/tmp/nginx')), script);
        const run = await web.product.run('plan', '--binary', newer, ...quick());
        assert.deepEqual([run.code, run.report.outcome], [0, 'planned'], run.output);
        assert.match(
          run.host.notes.join('\n'),
          /not tested: the master has mounts or a network of its own, and no way in/,
        );
      });
    }

    const NO_ROOT = `chown -R www-data /var/log/nginx /var/lib/nginx
      sed -i -e '/^user /d' -e 's,/run/nginx.pid,/run/web/nginx.pid,' ${CONF}`;
    const AS_USER = ['User=www-data', 'RuntimeDirectory=web', 'PIDFile=/run/web/nginx.pid'];
    const TO_PORTS = 'AmbientCapabilities=CAP_NET_BIND_SERVICE';

    test('does not enter for a master that is no root, and does not judge by what fails outside', async () => {
      await made(NO_ROOT, inHttp(below('/tmp/nginx')), unit(...OWN_TMP, makes('/tmp/nginx'), ...AS_USER, TO_PORTS));
      const { code, report, host, output } = await web.product.run('upgrade', '--binary', newer, ...quick());
      assert.deepEqual([code, report.outcome], [0, 'upgraded'], output);
      assert.match(host.notes.join('\n'), /not tested: .* Tried outside of them, it failed: .*No such file/);
    });

    test('leaves nothing outside for such a master either', async () => {
      await made(
        NO_ROOT,
        inHttp(below('/tmp')),
        unit(...OWN_TMP, ...AS_USER, TO_PORTS),
        'ln -s web/nginx.pid /run/nginx.pid',
      );
      assert.doesNotMatch(await plans(), /not tested|made what/);
    });

    test('leaves nothing of a rehearsal that is refused', async () => {
      await made(inHttp(below('/tmp/nginx')), unit(...OWN_TMP, makes('/tmp/nginx'), 'InaccessiblePaths=/srv'));
      await web.sh(`${LATER('/tmp/nginx')}; mv /usr/bin/nsenter /root/`);
      await web.sh(inServer('location /bad { access_log /srv/a.log; }', 'just now'));
      const before = await files();
      const run = await web.product.run('upgrade', '--binary', newer, ...quick({ ...DRIFT, rehearse: 'true' }));
      assert.deepEqual(
        run.host.refusals.map(({ code }) => code),
        ['config-test-failed'],
        run.output,
      );
      assert.deepEqual(await files(), before, run.output);
    });
  },
);
