/** What `nginx -V` says of a binary. */
export interface BuildInfo {
  /** `nginx`, `openresty`, `freenginx`, `Tengine`, `Angie` …; empty where the text is none of theirs. */
  flavour: string;
  version: string;
  arguments: string[];
}

/** Reads the output of `nginx -V`, with its lines kept or joined by blanks. */
export function parseBuildInfo(text: string): BuildInfo {
  const head = /(?:^|\s)([A-Za-z]+) version: ([A-Za-z]+)\/([^\s()]+)/.exec(text);
  const tail = /configure arguments:(.*)$/s.exec(text)?.[1] ?? '';
  const named = head?.[1] === 'nginx' ? head[2] : head?.[1];
  return { flavour: named ?? '', version: head?.[3] ?? '', arguments: splitArguments(tail) };
}

/** Splits as a shell would: blanks separate, single and double quotes group, a backslash takes the next character. */
export function splitArguments(text: string): string[] {
  const words = text.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gs);
  return [...words].map(([word]) => word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs, unquote));
}

function unquote(_all: string, single?: string, double?: string, escaped?: string): string {
  return single ?? double?.replaceAll(/\\(.)/g, '$1') ?? escaped ?? '';
}

/** The value of `--name=value`, the last one where it is given twice, as configure does it. */
export function argument(build: BuildInfo, name: string): string | undefined {
  const prefix = `--${name}=`;
  return build.arguments.findLast((word) => word.startsWith(prefix))?.slice(prefix.length);
}
