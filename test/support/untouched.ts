import assert from 'node:assert/strict';
import type { WebHost } from './web-host.ts';

/** Everything that a run which refuses must leave as it is; one line a thing. */
const FOOTPRINT = `
find /run/nginx* /run/second* /run/web /usr/sbin/*nginx* /usr/sbin/.[!.]* /opt /etc/nginx /var/lib/nginx /home/deploy \
  -printf '%p %i %s %m %U:%G %C@\\n' 2>/dev/null
awk '$4 == "0A" { print $2, $10 }' /proc/net/tcp /proc/net/tcp6; awk '$4 == "00010000" && $8 !~ "^/run/(systemd|user|dbus)/" { print $7, $8 }' /proc/net/unix
find /var/log/nginx -printf '%p %i %m %U:%G\\n' # where nginx -t says what it finds
find /tmp /var/tmp -maxdepth 1 ! -name 'systemd-*' ! -path /tmp ! -path /var/tmp
find /var/lib/nginx-hot-upgrade -name lock -o -name guard -o -name upgrade 2>/dev/null
systemctl list-units --all --plain --no-legend 'nginx-hot-upgrade*'
systemctl show -p MainPID -p NRestarts nginx`;

/** Runs `body` and asserts that every nginx, its files and whatever a run could leave behind are as before. */
export async function untouched<T>(web: WebHost, body: () => Promise<T>): Promise<T> {
  const footprint = async () => [...(await web.processes()), ...(await web.sh(FOOTPRINT)).split('\n')].sort();
  const before = await footprint();
  const value = await body();
  assert.deepEqual(await footprint(), before);
  return value;
}
