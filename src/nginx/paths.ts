import { posix } from 'node:path';
import type { MasterFacts } from '../target/facts.ts';
import { argument, type BuildInfo } from './build-info.ts';

/** The paths that both generations must share, as one binary would resolve them under the master's own command line. */
export interface EffectivePaths {
  prefix: string;
  conf: string;
  pid: string;
}

/** ngx_process_options and ngx_conf_full_name: `-p` beats --prefix, `-c` beats --conf-path, `pid` beats --pid-path. */
export function effectivePaths(build: BuildInfo, master: MasterFacts): EffectivePaths {
  const under = (base: string, path: string) => posix.normalize(path.startsWith('/') ? path : `${base}/${path}`);
  const prefix = under(master.cwd, master.optP || argument(build, 'prefix') || '/usr/local/nginx');
  return {
    prefix,
    conf: under(prefix, master.optC || argument(build, 'conf-path') || 'conf/nginx.conf'),
    pid: under(prefix, master.pidDirective || argument(build, 'pid-path') || 'logs/nginx.pid'),
  };
}
