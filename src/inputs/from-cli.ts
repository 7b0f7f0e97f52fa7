import { readFileSync } from 'node:fs';
import type { InputProblem } from '../errors.ts';
import { splitArguments, type Argument } from './arguments.ts';
import type { RawInputs } from './form.ts';
import { specOf, type InputName } from './names.ts';
import { show } from './show.ts';

export interface CommandLineEnvironment {
  variables: Record<string, string | undefined>;
  /** Reads a whole file, or standard input (0) to its end; throws as `readFileSync` does. */
  readFile?: (path: string | 0) => string;
}

/** `problems` belong into the environment of `parseInputs`, which reports them with its own. */
export type CommandLine =
  | { kind: 'help' }
  | { kind: 'version' }
  | { kind: 'helper' }
  | { kind: 'run'; raw: RawInputs; problems: InputProblem[] };

const SECRETS: [InputName, variable: string][] = [
  ['key', 'NGINX_HOT_UPGRADE_KEY'],
  ['passphrase', 'NGINX_HOT_UPGRADE_PASSPHRASE'],
];

const REPEATABLE = new Set(['list', 'lines', 'block']);

type ReadFile = (path: string | 0) => string;

/** What the words after the program's name ask for. Reads the files that they name; never throws. */
export function readCommandLine(argv: readonly string[], environment: CommandLineEnvironment): CommandLine {
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) return { kind: 'help' };
  if (argv.includes('--version')) return { kind: 'version' };
  if (argv[0] === 'helper') return { kind: 'helper' };
  const { command, values, problems } = splitArguments(argv);
  const given = command === undefined ? values : [{ name: 'command' as const, value: command }, ...values];
  const readFile = environment.readFile ?? ((path) => readFileSync(path, 'utf8'));
  problems.push(...twiceFromStandardInput(given));
  const raw = gather(given, { readFile, problems });
  for (const [name, variable] of SECRETS) {
    const value = environment.variables[variable];
    if (value !== undefined && !raw.has(name)) raw.set(name, value);
  }
  return { kind: 'run', raw, problems };
}

function gather(given: Argument[], use: { readFile: ReadFile; problems: InputProblem[] }): Map<string, string> {
  const raw = new Map<string, string>();
  for (const { name, value } of given) {
    const text = resolve({ name, value }, use);
    const before = raw.get(name);
    if (before === undefined) raw.set(name, text);
    else if (REPEATABLE.has(specOf(name).kind) && specOf(name).secret !== true) raw.set(name, `${before}\n${text}`);
    else use.problems.push({ input: name, message: 'is given more than once' });
  }
  return raw;
}

/** The value itself, or what it points to; empty, with a problem, where that cannot be had. */
function resolve({ name, value }: Argument, use: { readFile: ReadFile; problems: InputProblem[] }): string {
  const secret = specOf(name).secret === true;
  const source = secret && value === '-' ? 0 : value.startsWith('@') ? value.slice(1) : undefined;
  if (source === undefined) {
    if (!secret || value === '') return value;
    use.problems.push({ input: name, message: literalSecret(name) });
    return '';
  }
  try {
    return use.readFile(source);
  } catch (error) {
    use.problems.push({ input: name, message: unreadable(error, source) });
    return '';
  }
}

function literalSecret(name: InputName): string {
  const variable = SECRETS.find(([secret]) => secret === name)?.[1] ?? '';
  return (
    `a secret is never taken from the command line, where every user of this machine can read it: ` +
    `use --${name} @FILE, --${name} - (standard input) or the environment (${variable})`
  );
}

function unreadable(error: unknown, source: string | 0): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  if (source === 0) return `standard input cannot be read (${code})`;
  if (code === 'ENOENT') return `there is no file ${show(source)}`;
  if (code === 'EISDIR') return `expected a file behind "@", found the directory ${show(source)}`;
  if (code === 'EACCES') return `the file ${show(source)} may not be read by this user`;
  return `the file ${show(source)} cannot be read (${code})`;
}

function twiceFromStandardInput(given: Argument[]): InputProblem[] {
  const users = given.filter(({ name, value }) => specOf(name).secret === true && value === '-');
  if (users.length < 2) return [];
  return [{ input: users[1]?.name ?? 'key', message: 'standard input can be read only once: use @FILE' }];
}
