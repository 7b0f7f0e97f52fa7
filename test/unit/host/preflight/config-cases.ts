import { configured } from '../recorded.ts';
import type { HostCase } from './host-cases.ts';

/** As the kernel writes 0.0.0.0:80, which the recorded host listens on. */
const PORT_80 = '1 tcp 00000000:0050';
/** Uptime and start in the recording of a host with systemd; its workers started together with the master. */
const STARTED = { epoch: 1_700_000_500, uptime: 12_886, at: 1_700_000_000 };
const clock = { epoch: STARTED.epoch, uptime: STARTED.uptime, children: childrenSince(12_386) };

/** What can be wrong with the configuration on disk. */
export const CONFIGURED: HostCase[] = [
  {
    code: 'config-drift',
    where: 'a file was written after the workers started',
    changes: { ...clock, newestConfig: `${STARTED.at + 1} /etc/nginx/conf.d/a.conf` },
    says: /\/etc\/nginx\/conf\.d\/a\.conf was written at 2023-11-14T22:13:21Z, the workers run since 2023-11-14T22:13:20Z/,
    fix: /Reload nginx first.*`allow: config-drift`/,
  },
  {
    code: 'unix-listen-removed',
    where: 'a unix socket is no longer in it',
    changes: { listeners: [PORT_80, '2 unix /run/app.sock'] },
    says: /listens on unix:\/run\/app\.sock/,
    fix: /Reload nginx first/,
  },
  {
    code: 'listen-changed',
    where: 'an address was added',
    changes: configured(['http.server listen 127.0.0.1:8080']),
    says: /\(\+ 127\.0\.0\.1:8080\)/,
    fix: /Reload nginx first.*`allow: listen-changed`/,
  },
  {
    code: 'listen-changed',
    where: 'an address was exchanged for another one',
    changes: configured(['http.server listen [::]:80'], /listen/),
    says: /\(\+ \[::\]:80, - 0\.0\.0\.0:80\)/,
    fix: /Reload/,
  },
  {
    code: 'listen-changed',
    where: 'a server was added that does not say where it listens',
    changes: { ...configured(['http.server listen (default)'], /listen/), listeners: ['1 tcp 00000000:1F90'] },
    says: /\+ 0\.0\.0\.0:80, - 0\.0\.0\.0:8080/,
    fix: /Reload/,
  },
  {
    code: 'listen-changed',
    where: '`reuseport` is there for more workers than there are sockets',
    changes: configured(['http.server listen 80 reuseport'], /listen/),
    says: /0\.0\.0\.0:80 has 1 sockets, and 2 with/,
    fix: /Reload/,
  },
  {
    code: 'reuseport-fewer-workers',
    where: 'there are more sockets than workers will be',
    changes: {
      listeners: [PORT_80, '2 tcp 00000000:0050', '3 tcp 00000000:0050'],
      ...configured(['http.server listen 80 reuseport'], /listen/),
    },
    says: /0\.0\.0\.0:80 has 3 sockets .* has 2 workers/,
    fix: /Reload/,
  },
  {
    code: 'reuseport-fewer-workers',
    where: '`reuseport` was taken away',
    changes: { listeners: [PORT_80, '2 tcp 00000000:0050'] },
    says: /has no `reuseport`/,
    fix: /Reload/,
  },
  {
    code: 'quic',
    where: 'it listens for QUIC',
    changes: configured(['http.server listen 443 quic reuseport']),
    says: /QUIC/,
    fix: /worker_shutdown_timeout.*`allow: quic`/,
  },
  {
    code: 'passphrase-key',
    where: 'a key wants a passphrase',
    changes: { encryptedKeys: ['/etc/ssl/a.key'] },
    says: /\/etc\/ssl\/a\.key wants a passphrase/,
    fix: /ssl_password_file/,
  },
];

function childrenSince(seconds: number) {
  const startTime = String(seconds * 100);
  return [1, 2].map((pid) => ({
    pid,
    startTime,
    role: 'worker',
    accepting: true,
    sameFile: true,
    watched: 1,
  }));
}
