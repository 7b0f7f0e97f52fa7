import { as } from '../support/hostile.ts';
import { type Chance, fileName, title, word } from './chance.ts';

/** Which nginx it is about: root's with workers of www-data, a service of www-data, or one that a user started. */
export type Kind = 'root' | 'service' | 'user';

/** Where it lies, and what of it belongs to www-data (for `user`: all of it to that user). */
export interface Layout {
  kind: Kind;
  /** The user who is hostile besides mallory. */
  owner: 'www-data' | 'web';
  logs: string;
  pidFile: string;
  /** Configuration that the owner may write. */
  conf: string;
  /** The master's working directory. */
  cwd: string;
}

export interface Trick {
  name: string;
  /** By somebody who owns nothing of what the configuration names: then every command has to succeed. */
  stranger: boolean;
  /** Only of these kinds. */
  kinds?: readonly Kind[];
  /** A script, run as root, that steps down. */
  script(by: Chance, at: Layout): string;
}

/** What a local user who has nothing to do with nginx may do. */
const BY_STRANGERS: Trick[] = [
  {
    name: 'processes of any name and title',
    stranger: true,
    script: (by) =>
      Array.from({ length: 1 + by.below(5) }, () =>
        pretends({
          user: by.one(['mallory', 'www-data']),
          name: by.one(['nginx', 'nginx', 'sh', '', fileName(by)]).slice(0, 15),
          text: title(by),
          bytes: by.is(0.15) ? 2 ** 36 : 0,
          more: by.is(0.15) ? 120_000 : 0,
        }),
      ).join('\n'),
  },
  {
    name: 'an nginx of his own',
    stranger: true,
    script: (by) => {
      const dir = `/home/mallory/${fileName(by)}`;
      const conf = `daemon on; pid run/x.pid; error_log stderr; events {} http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t; server { listen ${9000 + by.below(900)}; } }`;
      const binary = by.one(['/usr/sbin/nginx', '/usr/sbin/nginx', './nginx']);
      return as(
        'mallory',
        `mkdir -p ${word(dir)}/run && cd ${word(dir)} && cp /usr/sbin/nginx nginx && printf %s '${conf}' >c && chmod 755 nginx
setsid ${binary} -p . -c c </dev/null >/dev/null 2>&1 || :
${by.is(0.3) ? 'rm nginx' : ':'}`,
      );
    },
  },
  {
    name: 'things in directories for all',
    stranger: true,
    script: (by) =>
      Array.from({ length: 1 + by.below(6) }, () =>
        as(by.one(['mallory', 'www-data']), thing(by, `${by.one(['/tmp', '/var/tmp'])}/${fileName(by)}`)),
      ).join('\n'),
  },
  {
    name: 'sockets of any name',
    stranger: true,
    script: (by) =>
      Array.from({ length: 1 + by.below(4) }, () => {
        const path = by.is(0.3) ? `\0${fileName(by)}` : `/tmp/${fileName(by)}`;
        return as(
          by.one(['mallory', 'www-data']),
          `setsid perl -MIO::Socket::UNIX -e '$0 = "socket"; my $p = shift; $p =~ s/^@/\\0/; my $s = IO::Socket::UNIX->new(Local => substr($p, 0, 100), Listen => 1) or exit; sleep 3600' -- ${word(path.replace('\0', '@'))} </dev/null >/dev/null 2>&1 &`,
        );
      }).join('\n'),
  },
  {
    name: 'processes without end, stopped ones, zombies',
    stranger: true,
    script: (by) =>
      as(
        'mallory',
        `for n in $(seq ${10 + by.below(100)}); do setsid sleep 3600 </dev/null >/dev/null 2>&1 & done
setsid sh -c 'kill -STOP $$' </dev/null >/dev/null 2>&1 &
setsid perl -e '$0 = "nginx: worker process"; fork or exit; sleep 3600' </dev/null >/dev/null 2>&1 &
dir=$(mktemp -d) && cd "$dir" && { setsid sleep 3600 </dev/null >/dev/null 2>&1 & } && rmdir "$dir"`,
      ),
  },
  {
    name: 'root of a user namespace',
    stranger: true,
    script: (by) =>
      as(
        'mallory',
        `setsid unshare -Urpfm --mount-proc perl /usr/local/lib/pretend.pl nginx ${word(title(by))} 0 0 </dev/null >/dev/null 2>&1 &`,
      ),
  },
  {
    name: 'connections that stay',
    stranger: true,
    script: (by) =>
      as(
        'mallory',
        `setsid bash -c 'for n in $(seq ${1 + by.below(30)}); do exec {fd}<>/dev/tcp/127.0.0.1/80; done; sleep 3600' </dev/null >/dev/null 2>&1 &`,
      ),
    kinds: ['root', 'service'],
  },
];

/** What the user of the workers, or of the master, may do with what is his. */
const BY_OWNERS: Trick[] = [
  {
    name: 'logs that lead elsewhere',
    stranger: false,
    script: (by, { owner, logs }) =>
      as(
        owner,
        `cd ${logs} && ${by.one([
          `mkdir -p ${word(fileName(by))} && mv error.log ${word('./')}* . 2>/dev/null; mv error.log ${word(fileName(by))}/q 2>/dev/null || :`,
          `mv error.log ${word(fileName(by))}`,
          `mv error.log error.log.1; ln -s ${by.one(LOG_TARGETS)} error.log`,
          `rm -f error.log; ln -s ${by.one(TARGETS)} error.log.1`,
          `mkdir error.log.1`,
          `mkfifo error.log.1`,
          `truncate -s 64G error.log.1`,
          `for n in $(seq 2000); do echo "2026/01/01 00:00:00 [emerg] 1#1: $n ::error::x @marker {}"; done >>error.log`,
          `rm -f error.log && mkdir error.log`,
        ])}`,
      ),
  },
  {
    name: 'a log that is a pipe',
    stranger: false,
    script: (by, { owner, logs }) => (by.is(0.1) ? as(owner, `cd ${logs} && mv error.log x && mkfifo error.log`) : ':'),
  },
  {
    name: 'a pid file that says something else',
    stranger: false,
    script: (by, { owner, pidFile }) =>
      as(
        owner,
        `f=${pidFile}${by.is(0.3) ? '.oldbin' : ''}; mv -f "$f" "$f.kept" 2>/dev/null; ${by.one([
          'cat /run/b.pid >"$f"',
          'echo 1 >"$f"',
          'echo $$ >"$f"',
          `printf %s ${word(fileName(by))} >"$f"`,
          'printf "%s\\n%s" "$(cat "$f.kept" 2>/dev/null)" 1 >"$f"',
          ': >"$f"',
          'mkfifo "$f"',
          'mkdir "$f"',
          'ln -s /dev/zero "$f"',
          `ln -s ${by.one(TARGETS)} "$f"`,
          'truncate -s 64G "$f"',
          'cp "$f.kept" "$f" 2>/dev/null || :',
          'head -c 100000 /dev/urandom >"$f"',
        ])}`,
      ),
  },
  {
    name: 'configuration that is something else',
    stranger: false,
    script: (by, { owner, conf }) => {
      const file = `${conf}/${by.is(0.5) ? 'site.conf' : `${fileName(by)}.conf`}`;
      return as(
        owner,
        by.one([
          `rm -f ${word(file)}; ${thing(by, file)}`,
          `printf 'include ${conf}/*.conf;\\n' >${word(file)}`,
          `printf 'server { listen 127.0.0.1:8443 ssl; ssl_certificate ${conf}/k; ssl_certificate_key ${conf}/k; }' >${word(file)}; ln -sf ${by.one(TARGETS)} ${conf}/k`,
          `printf 'server { listen unix:/tmp/%s; }' ${word(fileName(by).replaceAll(/[^a-z]/g, 'x'))} >${word(file)}`,
          `printf %s ${word(fileName(by).repeat(50))} >${word(file)}`,
          `printf '{%.0s' $(seq 3000) >${word(file)}`,
        ]),
      );
    },
  },
  {
    name: 'a working directory of another name, or none',
    stranger: false,
    kinds: ['service'],
    script: (by, { owner, cwd }) =>
      as(
        owner,
        by.one([`mv ${cwd} ${cwd}-x`, `rm -rf ${cwd}`, `mv ${cwd} /srv/site/${word(fileName(by))}`, `chmod 0 ${cwd}`]),
      ),
  },
  {
    name: 'attributes',
    stranger: false,
    script: (by, { owner, logs, conf }) =>
      as(
        owner,
        Array.from({ length: 1 + by.below(3) }, () =>
          by.one([
            `chmod ${by.one(['0', '2777', '6755', '1777', '711'])} ${by.one([logs, conf])}`,
            `cp /bin/cat ${conf}/c && chmod 6777 ${conf}/c`,
            `setfattr -n user.x -v y ${logs} || :`,
            `ln /etc/shadow ${logs}/h 2>/dev/null || :`,
          ]),
        ).join('\n'),
      ),
  },
  {
    name: 'what lies in the way of ours',
    stranger: false,
    kinds: ['user'],
    script: (by, { owner }) =>
      as(
        owner,
        Array.from({ length: 1 + by.below(3) }, () =>
          thing(by, `/home/web/sbin/${by.one(['.nginx-hot-upgrade-x', 'new', fileName(by)])}`),
        ).join('\n'),
      ),
  },
  {
    name: 'workers that are stopped or killed',
    stranger: false,
    kinds: ['root', 'service'],
    script: (by, { pidFile }) =>
      as(
        'www-data',
        `m=$(head -c 10 ${pidFile}) && kill -${by.one(['STOP', 'KILL', 'TERM', 'QUIT'])} $(cut -d' ' -f1 "/proc/$m/task/$m/children") || :`,
      ),
  },
];

/** A master of root writes to its log wherever that leads, at each start: that is for the tests of others. */
const LOG_TARGETS = ['/root/secret', '/dev/full', '/nonexistent/x', '.'];

const TARGETS = [
  '/etc/shadow',
  '/root/secret',
  '/dev/zero',
  '/dev/full',
  '/proc/kmsg',
  '/proc/1/mem',
  '/nonexistent/x',
  '.',
  '/',
];

/** Something at a path, of its own kind each time. */
function thing(by: Chance, path: string): string {
  const at = word(path);
  return by
    .one([
      `mkdir -p ${at} 2>/dev/null && cp /usr/local/lib/canary ${at}/new 2>/dev/null && cp /usr/local/lib/canary ${at}/old`,
      `ln -s ${by.one(TARGETS)} ${at}`,
      `mkfifo ${at}`,
      `truncate -s 64G ${at}`,
      `cp /usr/local/lib/canary ${at}`,
      `cp /usr/local/lib/canary.so ${at}`,
      `printf '#!/bin/sh\\n/usr/local/lib/canary' >${at}; chmod 6777 ${at}`,
      `printf %s ${word(title(by))} >${at}`,
    ])
    .concat(' 2>/dev/null || :');
}

function pretends(of: { user: string; name: string; text: string; bytes: number; more: number }): string {
  const words = [of.name, of.text, String(of.bytes), String(of.more)].map((each) => (each === '' ? "''" : word(each)));
  return as(
    of.user,
    `SIGNALS=/home/mallory/signals setsid perl /usr/local/lib/pretend.pl ${words.join(' ')} </dev/null >/dev/null 2>&1 &`,
  );
}

export const TRICKS: readonly Trick[] = [...BY_STRANGERS, ...BY_OWNERS];
