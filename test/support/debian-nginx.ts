import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from './debian-archive.ts';
import { snapshotHost } from './invariants.ts';
import { ownTempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';
import type { WebHost } from './web-host.ts';

/** With two dynamic modules: one of nginx's own, and one from elsewhere that is built against the package's sources. */
const NAMES = ['nginx', 'nginx-common', 'libnginx-mod-stream', 'libnginx-mod-http-echo'];

const SITE = `server {
  listen 80 default_server;
  add_header X-Nginx $nginx_version always;
  root /var/www/html;
  location = / { return 200 "ok"; }
  location = /echo { echo "from a module"; }
}
`;

/** Replaces the host's nginx by the one of its distribution. The next test starts on a fresh disk. */
export async function installDebianNginx(web: WebHost): Promise<void> {
  web.spoil();
  const files = await Promise.all(NAMES.map(packageFile));
  const dir = ownTempDir();
  await writeFile(join(dir, 'site'), SITE);
  await web.put([...files, join(dir, 'site')]);
  await web.sh(`systemctl stop nginx
    rm -rf /etc/systemd/system/nginx.service /usr/sbin/nginx /etc/nginx
    systemctl daemon-reload
    export DEBIAN_FRONTEND=noninteractive
    dpkg -i /root/*.deb >/root/dpkg.log 2>&1 || { cat /root/dpkg.log; exit 1; }
    rm /root/*.deb
    mv /root/site /etc/nginx/sites-available/default
    systemctl restart nginx`);
  await waitFor('the nginx of the distribution', async () => (await web.serving()) !== '');
  web.before = await snapshotHost(web);
}
