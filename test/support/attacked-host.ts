import assert from 'node:assert/strict';
import { join } from 'node:path';
import { mustRun } from './command.ts';
import { ATTACKER, as, quoted } from './hostile.ts';
import { snapshotHost } from './invariants.ts';
import { nginxBuild } from './nginx-builds.ts';
import { quick, type Finished, type Inputs, type Running } from './product.ts';
import { ownTempDir } from './temp-dir.ts';
import { untouched } from './untouched.ts';
import { underLoad, webHost, type WebHost } from './web-host.ts';

const newer = await nginxBuild('1.26.3');

/** A script that makes what lies around nginx the property of the user that its master is to run as. */
export const SERVICE = `chown -R www-data /var/log/nginx /var/lib/nginx
sed -i -e '/^user /d' -e 's,/run/nginx.pid,/run/web/nginx.pid,' /etc/nginx/nginx.conf
touch -d '2 hours ago' /etc/nginx/nginx.conf`;

/** Lines of a unit whose master is no root. */
export const AS_USER = [
  'User=www-data',
  'RuntimeDirectory=web',
  'PIDFile=/run/web/nginx.pid',
  'AmbientCapabilities=CAP_NET_BIND_SERVICE',
];

/** A script that changes the unit of nginx and starts it anew. */
export const unit = (...lines: string[]): string => `mkdir -p /etc/systemd/system/nginx.service.d
printf '%s\\n' '[Service]' ${lines.map(quoted).join(' ')} >/etc/systemd/system/nginx.service.d/test.conf
systemctl daemon-reload && systemctl restart nginx`;

/** A script that has root's nginx keep its pid file in a directory of the workers' user. */
export const PID_OF_WORKERS = `install -d -o www-data /run/a
sed -i 's,/run/nginx.pid,/run/a/nginx.pid,' /etc/nginx/nginx.conf
${unit('PIDFile=/run/a/nginx.pid')}
touch -d '2 hours ago' /etc/nginx/nginx.conf`;

/** A host for what its local users try; each test starts as `webHost` says, on a fresh disk where the one before began with `made`. */
export interface AttackedHost extends WebHost {
  /** Makes the set-up, with `mallory` and the tools of an attacker, by a script of root; what is so then is "before". */
  made: (script: string) => Promise<void>;
  /** Leaves a process of `user` behind, which does `script`. */
  leaves: (user: string, script: string) => Promise<void>;
  /** Compiles a program of this folder and puts it at /usr/local/bin. */
  install: (program: 'thief') => Promise<void>;
  starts: (inputs?: Inputs) => Running;
  upgrade: (inputs?: Inputs) => Promise<Finished>;
  plan: (inputs?: Inputs) => Promise<Finished>;
  /** Asserts that it is refused with these codes and nothing else, and that the host is as it was. */
  isRefused: (codes: string[], run: () => Promise<Finished>) => Promise<void>;
  /** Asserts that an upgrade succeeds and no request is lost. */
  isUpgraded: (inputs?: Inputs) => Promise<Finished>;
}

export function attackedHost(name: string): AttackedHost {
  const web = webHost(name);
  const starts = (inputs: Inputs = {}) => web.product.start('upgrade', '--binary', newer, ...quick(inputs));
  const upgrade = async (inputs: Inputs = {}) => starts(inputs).ended;
  return Object.assign(web, {
    starts,
    upgrade,
    plan: (inputs: Inputs = {}) => web.product.run('plan', '--binary', newer, ...quick(inputs)),
    async made(script: string) {
      web.spoil();
      await web.sh(`${ATTACKER}\n${script}`);
      web.before = await snapshotHost(web);
    },
    async leaves(user: string, script: string) {
      await web.sh(as(user, `setsid bash -c ${quoted(script)} </dev/null >/dev/null 2>&1 &`));
    },
    async install(program: string) {
      const built = join(ownTempDir(), program);
      await mustRun(['gcc', '-static', '-O1', '-o', built, join(import.meta.dirname, `${program}.c`)]);
      await web.put([built]);
      await web.sh(`install -m 755 /root/${program} /usr/local/bin/`);
    },
    async isRefused(codes: string[], run: () => Promise<Finished>) {
      const { code, report, host, output } = await untouched(web, run);
      const found = host.refusals.map((each) => each.code).sort();
      assert.deepEqual([code, report.outcome, found], [1, 'refused', codes], output);
    },
    async isUpgraded(inputs: Inputs = {}) {
      const { value } = await underLoad(web, () => upgrade(inputs));
      assert.deepEqual([value.code, value.report.outcome], [0, 'upgraded'], value.output);
      return value;
    },
  });
}
