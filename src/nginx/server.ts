/** One directive of the effective configuration, as far as it matters to an upgrade. */
export interface Directive {
  /** The blocks around it: `main`, `events`, `http`, `http.server`, `stream.server` … */
  context: string;
  name: string;
  /** Its words, joined by blanks. */
  args: string;
}

/** How a master was started and configured: what decides which paths a binary in its place would use. */
export interface RunningServer {
  cwd: string;
  /** Values of `-p`, `-c` and `-e`; empty where they were not given. */
  optP: string;
  optC: string;
  optE: string;
  /** Real user id of the master. */
  uid: number;
  directives: readonly Directive[];
}

/** The arguments of every directive of that name in exactly that context, in the order of the configuration. */
export function argsOf({ directives }: Pick<RunningServer, 'directives'>, context: string, name: string): string[] {
  return directives.filter((each) => each.context === context && each.name === name).map(({ args }) => args);
}
