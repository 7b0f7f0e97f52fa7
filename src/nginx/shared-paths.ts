import { posix } from 'node:path';
import type { BuildInfo } from './build-info.ts';
import { valueIn } from './configure-args.ts';
import { argsOf, type RunningServer } from './server.ts';

/** A path (or name) that both generations must share, and what decides it. */
export interface SharedPath {
  /** Argument of `configure`. */
  flag: string;
  /** Preflight code where the two differ. */
  code: string;
  /** What nginx takes without the argument; relative to the prefix. */
  standard: string;
  /** What beats the argument on a running server; `by` is how people call it. */
  beaten: { by: string; value: (server: RunningServer) => string | undefined };
  /** What happens where the two differ, as the end of a sentence. */
  why: string;
}

const directive = (name: string, context = 'main'): SharedPath['beaten'] => ({
  by: `\`${name}\``,
  value: (server) => firstWord(argsOf(server, context, name)[0]),
});

const option = (letter: string, value: SharedPath['beaten']['value']): SharedPath['beaten'] => ({
  by: `the option -${letter}`,
  value: (server) => value(server) || undefined,
});

/** Defaults and precedence: auto/options, ngx_process_options, ngx_conf_full_name. */
export const SHARED_PATHS: readonly SharedPath[] = [
  {
    flag: '--prefix',
    code: 'prefix-differs',
    standard: '/usr/local/nginx',
    beaten: option('p', ({ optP }) => optP),
    why: 'every relative path in the configuration would lead elsewhere',
  },
  {
    flag: '--conf-path',
    code: 'conf-path-differs',
    standard: 'conf/nginx.conf',
    beaten: option('c', ({ optC }) => optC),
    why: 'the new master would read another configuration',
  },
  {
    flag: '--pid-path',
    code: 'pid-path-differs',
    standard: 'logs/nginx.pid',
    beaten: directive('pid'),
    why: 'systemd and scripts would lose the new master',
  },
  {
    flag: '--lock-path',
    code: 'lock-path-differs',
    standard: 'logs/nginx.lock',
    beaten: directive('lock_file'),
    why: 'it is used only where a processor has no atomic operations, so that nothing is lost on Linux',
  },
  {
    flag: '--error-log-path',
    code: 'error-log-path-differs',
    standard: 'logs/error.log',
    beaten: {
      by: '`error_log`',
      value: (server) => directive('error_log').value(server) ?? (server.optE || undefined),
    },
    why: 'errors would be written where nobody looks, or nowhere',
  },
  {
    flag: '--http-log-path',
    code: 'http-log-path-differs',
    standard: 'logs/access.log',
    beaten: directive('access_log', 'http'),
    why: 'requests would be logged elsewhere, and nginx does not start where that directory is missing',
  },
  ...['client-body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(temporaryPath),
];

function temporaryPath(kind: string): SharedPath {
  const name = kind.replace('-', '_');
  return {
    flag: `--http-${kind}-temp-path`,
    code: 'temp-path-differs',
    standard: `${name}_temp`,
    beaten: directive(`${name}_temp_path`, 'http'),
    why: 'nginx creates it with a new owner, or does not start where its parent is missing',
  };
}

/** What `build` would use in the place of this master: absolute, or a word such as `stderr`. */
export function effectivePath(path: SharedPath, build: Pick<BuildInfo, 'arguments'>, server: RunningServer): string {
  const given = path.beaten.value(server) ?? valueIn(build.arguments, path.flag);
  if (path.flag === '--prefix') return prefixOf(given, server);
  const chosen = given === undefined || given === '' ? path.standard : given;
  if (/^(stderr$|syslog:|memory:|off$)/.test(chosen)) return chosen;
  return under(prefixOf(valueOfPrefix(build, server), server), chosen);
}

function valueOfPrefix(build: Pick<BuildInfo, 'arguments'>, { optP }: RunningServer): string | undefined {
  return optP || valueIn(build.arguments, '--prefix');
}

/** An empty `--prefix=` is the directory where nginx was started. */
function prefixOf(given: string | undefined, { cwd }: RunningServer): string {
  return given === '' ? cwd : under(cwd, given ?? '/usr/local/nginx');
}

/** /var/run is a link to /run wherever systemd runs, and slashes at the end say nothing. */
export function samePath(a: string, b: string): boolean {
  const plain = (path: string) =>
    posix
      .normalize(path)
      .replace(/\/+$/, '')
      .replace(/^\/var\/run\//, '/run/');
  return plain(a) === plain(b);
}

function under(base: string, path: string): string {
  return posix.normalize(path.startsWith('/') ? path : `${base}/${path}`);
}

function firstWord(args: string | undefined): string | undefined {
  return args?.split(' ', 1)[0];
}
