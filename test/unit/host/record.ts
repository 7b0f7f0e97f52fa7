import { writeFileSync } from 'node:fs';
import { connectLibrary } from '../../../src/connection/library.ts';
import { connectLocal } from '../../../src/connection/local.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { openSession } from '../../../src/target/session.ts';
import { bootHost } from '../../support/hosts.ts';
import { type LocalNginx, startNginx } from '../../support/local-nginx.ts';
import { nginxBuild } from '../../support/nginx-builds.ts';
import { productAt } from '../../support/product.ts';

// Run by hand after the helper's `facts` changed, as root on a machine that can boot hosts:
//   node test/unit/host/record.ts
// Writes fixtures/*.json anew, without anything of this machine in them.

const older = await nginxBuild('1.22.1');
const newer = await nginxBuild('1.26.3');

{
  await using nginx = await startNginx({ binary: older });
  const product = productAt(nginx);
  await record('local', nginx);
  await record('not-running', nginx, '/run/none/nginx.pid');
  await product.run('upgrade', '--binary', newer, ...'--health-url none --bake-time 1s --auto-commit false'.split(' '));
  await record('held', nginx);
  await product.run('commit', ...'--health-url none'.split(' '));
  await record('committed', nginx);
  const { directory } = JSON.parse(await ask(connectLocal(), nginx.pidFile));
  await nginx.run(`rm -rf '${directory}'`);
}
{
  await using host = await bootHost('record');
  const ssh = { key: host.clientKey, knownHosts: host.knownHosts, fingerprints: [], connectTimeout: 5_000 };
  const link = () => connectLibrary({ host: host.address, port: 22, user: host.user, ssh });
  store('systemd', await ask(await link()));
  await host.run('cp /etc/nginx/nginx.conf /tmp/two.conf; sed -i "s/80/81/; s/nginx.pid/two.pid/" /tmp/two.conf');
  await host.run('/usr/sbin/nginx -c /tmp/two.conf');
  store('ambiguous', await ask(await link()));
}

async function record(name: string, nginx: LocalNginx, pidFile = nginx.pidFile): Promise<void> {
  const text = await ask(connectLocal(), pidFile);
  const folder = nginx.dir.slice(1).replaceAll('/', '-');
  const own = text.replaceAll(nginx.dir, '/srv/site').replaceAll(folder, 'srv-site');
  const facts: Record<string, unknown> = JSON.parse(own);
  const masters = String(facts['masters']).split('; ');
  const seen = name === 'not-running' ? [] : masters.filter((master) => master.includes('/srv/site/'));
  const identity = { who: 'deploy@runner', run: 'process 1 on runner' };
  for (const part of ['upgrade', 'lock']) {
    const value = facts[part];
    if (Array.isArray(value)) facts[part] = value.map((line: string) => line.replace(/^(who|run)=.*/, replaceIdentity));
    else if (value) facts[part] = { ...value, ...identity };
  }
  store(
    name,
    JSON.stringify({ ...facts, cwd: facts['cwd'] === undefined ? undefined : '/', masters: seen.join('; ') }),
  );

  function replaceIdentity(_line: string, key: string): string {
    return `${key}=${key === 'who' ? identity.who : identity.run}`;
  }
}

async function ask(connection: Connection, pidFile?: string): Promise<string> {
  const session = await openSession(connection, {
    entry: 'session',
    sudo: ['sudo', '-n'],
    elevate: 'asNeeded',
    within: 10_000,
  });
  const fields = pidFile === undefined ? {} : { pid_file: pidFile };
  const answer = await session.ask('facts', { fields, within: 10_000 });
  session.close();
  connection.close();
  return JSON.stringify(answer.fields);
}

function store(name: string, json: string): void {
  const text = JSON.stringify(JSON.parse(renumbered(json)), null, 2);
  writeFileSync(new URL(`fixtures/${name}.json`, import.meta.url), `${text}\n`);
}

/** Process numbers from 41 on, in the order in which they come, so that tests can name them. */
function renumbered(json: string): string {
  const pids = [...new Set([...json.matchAll(/"pid":(\d+)/g)].map(([, pid]) => pid))];
  const places = /("pid":|"pidText":"|"oldbin":"|MainPID=|; |"masters":")(\d+)(?=[,}"]| nginx: master)/g;
  return json.replaceAll(places, (all, before: string, pid: string) => {
    const index = pids.indexOf(pid);
    return index < 0 ? all : `${before}${41 + index}`;
  });
}
