/** Arguments of nginx's `configure`, one word each, as its shell would hand them over: `--with-cc-opt=-O2 -g`. */
export type ConfigureArgs = readonly string[];

/**
 * Reads what stands behind `configure arguments:`. nginx puts a value that holds blanks in single quotes and escapes
 * nothing (auto/options), so a value goes on until a quote that an argument or the end follows. Whoever wrote the text
 * by hand may have quoted as in a shell.
 */
export function readPrintedArgs(text: string): string[] {
  const words = text.matchAll(/--[^\s='"]+='(?:.*?)'(?=\s+--|\s*$)|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gs);
  return [...words].map(([word]) => unquoted(word));
}

/** The way `nginx -V` prints them. */
export function printArgs(args: ConfigureArgs): string {
  return args.map((arg) => (/^[^=]+=.*\s/s.test(arg) ? arg.replace(/=(.*)$/s, "='$1'") : arg)).join(' ');
}

/** `--with-cc-opt` of `--with-cc-opt=-O2`. */
export function nameOf(arg: string): string {
  return arg.split('=', 1)[0] ?? arg;
}

/** What stands behind the first `=`; undefined where there is none. */
export function valueOf(arg: string): string | undefined {
  const at = arg.indexOf('=');
  return at < 0 ? undefined : arg.slice(at + 1);
}

/** The value of `name` (with its dashes), the last one where it is given twice, as configure does it. */
export function valueIn(args: ConfigureArgs, name: string): string | undefined {
  return args
    .filter((arg) => arg.includes('=') && nameOf(arg) === name)
    .map(valueOf)
    .at(-1);
}

function unquoted(word: string): string {
  const printed = /^(--[^\s='"]+=)'(.*)'$/s.exec(word);
  // A quote within that nothing escapes: nginx's own way of writing.
  if (printed !== null && !/^[^']*'\\''/.test(printed[2] ?? '')) return `${printed[1]}${printed[2]}`;
  return word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs, unquote);
}

function unquote(_all: string, single?: string, double?: string, escaped?: string): string {
  return single ?? double?.replaceAll(/\\(.)/g, '$1') ?? escaped ?? '';
}
