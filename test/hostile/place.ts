import { quoted } from '../support/hostile.ts';
import type { Kind, Layout } from './tricks.ts';

/** A place for nginx on the host, and how to get there. */
export interface Placed extends Layout {
  port: number;
  /** Where the binary lies. */
  binary: string;
  /** Where the books of an upgrade lie. */
  books: string;
  /** Who logs in, and becomes root where that is `deploy`. */
  login: 'deploy' | 'web';
  /** Makes it, after `CLEAR`, with the old nginx running and a bystander of root beside it. */
  script: string;
}

/** Ends all that a case began, and removes it. Pid files go first: systemd itself (252) opens one when nginx ends, and waits in a pipe. */
export const CLEAR = `rm -rf /run/a /run/web /run/nginx.pid* 2>/dev/null
systemctl kill -s KILL nginx 2>/dev/null
for unit in $(systemctl list-units --all --plain --no-legend 'nginx-hot-upgrade-*' | cut -d' ' -f1); do systemctl kill -s KILL "$unit"; systemctl stop "$unit"; done 2>/dev/null
for round in 1 2 3; do
  for user in mallory www-data web; do pkill -KILL -u "$user"; pkill -CONT -u "$user"; done
  pkill -KILL -x 'nginx|nginx-b'
  for p in /proc/[0-9]*; do case $(readlink "$p/exe") in */nginx*) kill -KILL "\${p#/proc/}" ;; esac; done
done 2>/dev/null
systemctl stop nginx 2>/dev/null; systemctl reset-failed
find /tmp /var/tmp /home/mallory /home/web -mindepth 1 -maxdepth 1 ! -name 'systemd-private*' ! -name .ssh -exec rm -rf {} +
rm -rf /var/log/nginx /run/b.pid /srv/site /var/lib/nginx-hot-upgrade /var/lib/nginx /etc/systemd/system/nginx.service.d \\
  /usr/sbin/.nginx-hot-upgrade-* /var/lib/canary /run/watch
: >/home/mallory/signals && chmod 666 /home/mallory/signals
install -m 755 /root/nginx.old /usr/sbin/nginx
install -d -m 700 /var/lib/canary /run/watch
install -d /var/log/nginx /var/lib/nginx
`;

export function placed(kind: Kind, pidFile: string, login: 'deploy' | 'web'): Placed {
  const books = `${login === 'web' ? '/home/web/.local/state' : '/var/lib'}/nginx-hot-upgrade/${pidFile.slice(1).replaceAll('/', '-')}`;
  if (kind === 'user') {
    const home = '/home/web';
    return {
      kind,
      login,
      books,
      pidFile,
      owner: 'web',
      port: 8080,
      binary: `${home}/sbin/nginx`,
      logs: `${home}/logs`,
      conf: `${home}/conf/conf.d`,
      cwd: home,
      script: `install -d -o web -g web ${home}/sbin ${home}/logs ${home}/run ${home}/conf ${home}/conf/conf.d ${home}/t
install -o web -g web /root/nginx.old ${home}/sbin/nginx
printf %s ${quoted(configuration({ pid: pidFile, log: `${home}/logs/error.log`, port: 8080, conf: `${home}/conf/conf.d`, temp: `${home}/t` }))} >${home}/conf/nginx.conf
chown web:web ${home}/conf/nginx.conf && touch -d '2 hours ago' ${home}/conf/nginx.conf
cd / && setpriv --reuid=web --regid=web --init-groups env -i HOME=${home} ${home}/sbin/nginx -p ${home} -c conf/nginx.conf -e ${home}/logs/error.log
${BYSTANDER}`,
    };
  }
  const service = kind === 'service';
  const user = service ? '' : 'user www-data;\n';
  const unit = service
    ? [
        'User=www-data',
        'RuntimeDirectory=web',
        'AmbientCapabilities=CAP_NET_BIND_SERVICE',
        'WorkingDirectory=/srv/site/run',
      ]
    : [];
  const text = configuration({
    pid: pidFile,
    log: '/var/log/nginx/error.log',
    port: 80,
    conf: '/srv/site/conf',
    temp: '/var/lib/nginx',
  });
  return {
    kind,
    login,
    books,
    pidFile,
    owner: 'www-data',
    port: 80,
    binary: '/usr/sbin/nginx',
    logs: '/var/log/nginx',
    conf: '/srv/site/conf',
    cwd: service ? '/srv/site/run' : '/',
    script: `chown www-data /var/log/nginx ${service ? '/var/lib/nginx' : ''}
install -d -o www-data /srv/site /srv/site/conf /srv/site/run ${pidFile.startsWith('/run/a/') ? '/run/a' : ''}
printf %s ${quoted(user + text)} >/etc/nginx/nginx.conf && touch -d '2 hours ago' /etc/nginx/nginx.conf
mkdir -p /etc/systemd/system/nginx.service.d
printf '%s\\n' '[Service]' PIDFile=${pidFile} ${unit.map(quoted).join(' ')} >/etc/systemd/system/nginx.service.d/test.conf
systemctl daemon-reload && systemctl start nginx
${BYSTANDER}`,
  };
}

/** Another nginx of root, which nobody means. */
const BYSTANDER = `printf 'pid /run/b.pid; error_log /dev/null; events {} http { access_log off; server { listen 81; } }' >/etc/nginx/b.conf
/usr/sbin/nginx-b -c /etc/nginx/b.conf`;

function configuration(of: { pid: string; log: string; port: number; conf: string; temp: string }): string {
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${of.temp}/${each};`,
  );
  return `worker_processes 2;
pid ${of.pid};
error_log ${of.log};
events {}
http {
  access_log off;
  ${temps.join(' ')}
  include ${of.conf}/*.conf;
  server { listen ${of.port}; add_header X-Nginx $nginx_version always; location = / { return 200 "ok"; } }
}
`;
}
