import { type ConfigureArgs, readPrintedArgs } from './configure-args.ts';

/** What `nginx -V` says of a binary. */
export interface BuildInfo {
  /** `nginx`, `openresty`, `freenginx`, `Tengine`, `Angie` …; empty where the text is none of theirs. */
  flavour: string;
  version: string;
  arguments: ConfigureArgs;
  /** What it was built with and, where that is another one, what it runs with: `OpenSSL 3.0.2`. */
  tls?: { built: string; running: string };
}

/** Reads the output of `nginx -V`, with its lines kept or joined by blanks. */
export function parseBuildInfo(text: string): BuildInfo {
  const head = /(?:^|\s)([A-Za-z]+) version: ([A-Za-z]+)\/([^\s()]+)/.exec(text);
  const tail = /configure arguments:(.*)$/s.exec(text)?.[1] ?? '';
  const named = head?.[1] === 'nginx' ? head[2] : head?.[1];
  const tls = tlsOf(text);
  return {
    flavour: named ?? '',
    version: head?.[3] ?? '',
    arguments: readPrintedArgs(tail),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** `built with OpenSSL 3.0.2 15 Mar 2022 (running with OpenSSL 3.0.8 7 Feb 2023)` (ngx_show_version_info). */
function tlsOf(text: string): BuildInfo['tls'] {
  const built = /built with ([A-Za-z-]+ [^\s()]+)/.exec(text)?.[1];
  if (built === undefined) return undefined;
  return { built, running: /\(running with ([A-Za-z-]+ [^\s()]+)/.exec(text)?.[1] ?? built };
}
