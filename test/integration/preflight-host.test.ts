import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { byHand, testRefusals, type RefusedCase } from '../support/refusals.ts';
import { ownTempDir } from '../support/temp-dir.ts';
import { webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

/** nginx at a place of its own, where a mount disturbs nobody else. */
const elsewhere = (then: string) =>
  byHand(`mkdir -p /opt/web && cp /usr/sbin/nginx /opt/web/
  /opt/web/nginx\n${then}`);
const overItself = (option: string) =>
  elsewhere(`mount --bind /opt/web /opt/web && mount -o remount,bind,${option} /opt/web`);

const SECOND = `sed 's/listen 80/listen 81/; s#/run/nginx.pid#/run/second.pid#' /etc/nginx/nginx.conf >/etc/nginx/second.conf
  nginx -c /etc/nginx/second.conf`;

/** Has nginx believe that it caught SIGUSR2, as a library does that keeps signals for itself. */
const THIEF = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
int sigaction(int number, const struct sigaction *new, struct sigaction *old) {
  int (*real)(int, const struct sigaction *, struct sigaction *) = dlsym(RTLD_NEXT, "sigaction");
  return number == SIGUSR2 ? 0 : real(number, new, old);
}`;

/** A script that leaves a shared library of this source on the host. */
function library(path: string, source: string): string {
  const dir = ownTempDir();
  writeFileSync(join(dir, 'a.c'), source);
  execFileSync('cc', ['-shared', '-fPIC', '-s', '-o', join(dir, 'a.so'), join(dir, 'a.c'), '-ldl']);
  return `base64 -d >${path} <<'END'\n${readFileSync(join(dir, 'a.so')).toString('base64')}\nEND`;
}

/** What is wrong with the running master, its file and its surroundings. */
const REFUSED: RefusedCase[] = [
  { what: 'a directory in the place of .oldbin', host: 'mkdir /run/nginx.pid.oldbin', codes: ['pid-directory'] },
  {
    what: 'a pid directory that is read-only for nginx',
    host: `mkdir /run/web; sed -i 's,/run/nginx.pid,/run/web/nginx.pid,' /etc/nginx/nginx.conf
      touch -d '2 hours ago' /etc/nginx/nginx.conf
      systemctl stop nginx; /usr/sbin/nginx; mount --bind /run/web /run/web; mount -o remount,bind,ro /run/web`,
    codes: ['pid-directory'],
  },
  {
    what: 'a master that does not catch USR2',
    host: byHand(`${library('/root/thief.so', THIEF)}\nLD_PRELOAD=/root/thief.so /usr/sbin/nginx`),
    codes: ['signals-blocked'],
  },
  {
    what: 'a script in the place of the binary',
    host: byHand(`mv /usr/sbin/nginx /opt/nginx
      printf '#!/bin/bash\\nexec -a /usr/sbin/nginx /opt/nginx "$@"\\n' >/usr/sbin/nginx; chmod 755 /usr/sbin/nginx
      /usr/sbin/nginx`),
    codes: ['argv0-not-running-file', 'wrapper-script'],
  },
  { what: 'a binary on a file system without exec', host: overItself('noexec'), codes: ['noexec'] },
  { what: 'a binary on a read-only file system', host: overItself('ro'), codes: ['immutable'] },
  {
    what: 'a binary where there is no room for another one',
    host: byHand(`mkdir -p /opt/web && mount -t tmpfs -o size=3m,mode=755 none /opt/web && cp /usr/sbin/nginx /opt/web/
      /opt/web/nginx`),
    codes: ['disk-space'],
  },
  {
    what: 'a master that sees another directory at that path',
    host: byHand(`mkdir -p /opt/web /opt/real && cp /usr/sbin/nginx /opt/web/ && ln /opt/web/nginx /opt/real/nginx
      unshare -m sh -c 'mount --bind /opt/real /opt/web && exec /opt/web/nginx'`),
    codes: ['other-root'],
  },
  {
    what: 'an nginx in a pid namespace of its own',
    host: `systemctl stop nginx
      setsid unshare --pid --fork --mount-proc nginx -g 'daemon off;' >/dev/null 2>&1 &
      until [ -s /run/nginx.pid ]; do sleep 0.02; done`,
    inputs: { 'health-url': 'none' },
    codes: ['container-pid1'],
  },
  {
    what: 'a master of another user',
    host: byHand(`install -d -o www-data /opt/web/logs /opt/web/temp
      printf '%s\\n' 'pid /opt/web/nginx.pid;' 'error_log /opt/web/logs/error.log;' 'events {}' 'http { access_log off;' \\
        'client_body_temp_path temp/b; proxy_temp_path temp/p; fastcgi_temp_path temp/f;' \\
        'uwsgi_temp_path temp/u; scgi_temp_path temp/s; server { listen 8080; } }' >/opt/web/nginx.conf
      chown www-data /opt/web
      setpriv --reuid=www-data --regid=www-data --clear-groups nginx -p /opt/web/ -c /opt/web/nginx.conf -e /opt/web/logs/e
      cp /opt/web/nginx.pid /run/nginx.pid`),
    inputs: { 'health-url': 'none' },
    codes: ['master-user'],
  },
  {
    what: 'a login without a shell',
    host: 'usermod -s /usr/sbin/nologin deploy',
    inputs: { 'health-url': 'none' },
    codes: ['shell-denied'],
  },
  {
    what: 'two masters that run the same file',
    host: SECOND,
    inputs: { 'pid-file': '/run/nginx.pid' },
    codes: ['shared-binary'],
  },
];

describe('preflight of the host', { skip: noHosts(), timeout: 240_000 }, () => {
  testRefusals(webHost('preflight-host'), REFUSED, { binary: newer });
});
