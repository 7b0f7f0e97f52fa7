import { configured } from '../recorded.ts';
import { type HostCase, worker } from './host-cases.ts';

const busy = { children: [worker, { ...worker, pid: 51, watched: 41 }, { ...worker, pid: 52, watched: 3 }] };
const LIMIT = 'main worker_shutdown_timeout 1m';
const MINIMUM = 'http keepalive_min_timeout 1s';

/** What is worth knowing, with its numbers. */
export const NOTED: HostCase[] = [
  {
    code: 'path-nginx-differs',
    where: 'another version comes first in PATH',
    changes: { pathNginx: '/usr/local/sbin/nginx', pathNginxVersion: 'nginx version: nginx/1.18.0' },
    says: /\/usr\/local\/sbin\/nginx, 1\.18\.0; \/usr\/sbin\/nginx, 1\.22\.1, is what runs/,
    fix: /Remove \/usr\/local\/sbin\/nginx/,
  },
  {
    code: 'versioned-path',
    where: 'the prefix holds the version',
    changes: { prefix: '/opt/nginx-1.22.1' },
    says: /\/opt\/nginx-1\.22\.1 holds the version 1\.22\.1/,
    fix: /`current`/,
  },
  {
    code: 'keepalive-resets',
    where: 'connections are open, and nginx is too old for the way around it',
    changes: { ...busy, ...configured([LIMIT]) },
    says: /^42 connections are open/,
    fix: /From 1\.27\.4 on/,
  },
  {
    code: 'long-connections',
    where: 'connections are open, and nothing limits them',
    changes: { ...busy, ...configured([MINIMUM]) },
    says: /^40 at worker 51, 2 at worker 52: nothing limits/,
    fix: /worker_shutdown_timeout/,
  },
  {
    code: 'shared-zones-reset',
    where: 'there are zones for limits and upstreams',
    changes: configured([
      'http limit_req_zone $binary_remote_addr zone=perip:10m rate=1r/s',
      'http.upstream zone backends 64k',
    ]),
    says: /^2 shared memory zones .*\(perip, backends\)/,
    fix: /quiet moment/,
  },
  {
    code: 'tls-tickets-reset',
    where: 'it serves TLS with tickets of its own keys',
    changes: configured(['http.server listen 80 ssl'], /listen/),
    says: /TLS session tickets/,
    fix: /ssl_session_ticket_key/,
  },
  {
    code: 'paths-of-others',
    where: 'a master of root has its logs where its workers, and bodies where several users can write',
    changes: { ledPaths: ['/var/log/nginx:33', '/srv/bodies:'] },
    says: /where others can put a link: \/var\/log\/nginx \(user 33\), \/srv\/bodies \(several users\)$/,
    fix: /Give these directories to root/,
  },
];
