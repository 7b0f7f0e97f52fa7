import { INPUT_NAMES, isInputName, specOf, type InputName } from './names.ts';
import type { InputProblem } from '../errors.ts';
import { suggestion } from './nearest.ts';
import { label } from './show.ts';

/** One `--name value` as it was typed; nothing behind `@` is read yet. */
export interface Argument {
  name: InputName;
  value: string;
}

export interface Arguments {
  /** The first word, where it is no option. */
  command: string | undefined;
  values: Argument[];
  problems: InputProblem[];
}

/** Splits a command line: `COMMAND --input value`, `--input=value`; a boolean without a value is true. Shows no value. */
export function splitArguments(argv: readonly string[]): Arguments {
  const rest = [...argv];
  const command = rest[0]?.startsWith('-') === false ? rest.shift() : undefined;
  const found: Arguments = { command, values: [], problems: [] };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [option, inline] = splitOnce(word);
    if (isOption(word)) takeOption(found, { name: option.slice(2), value: inline, rest });
    // A stray word may be a secret that lost its option.
    else
      found.problems.push({
        input: 'command',
        message: 'expected one command and then options, found a further word: quote values with spaces',
      });
  }
  return found;
}

/** Their values are options themselves: of nginx's `configure`. */
const TAKES_OPTIONS = new Set(['configure-args', 'extra-configure-args', 'omit-configure-args']);

function takeOption(found: Arguments, option: { name: string; value: string | undefined; rest: string[] }): void {
  const { name, rest } = option;
  const next = rest[0] !== undefined && (!isOption(rest[0]) || TAKES_OPTIONS.has(name)) ? rest[0] : undefined;
  if (option.value === undefined && next !== undefined) rest.shift();
  const value = option.value ?? next ?? (isInputName(name) && specOf(name).kind === 'boolean' ? 'true' : undefined);
  if (!isInputName(name)) {
    // What stands right behind an option for a secret may be the secret.
    const hidden = /^(?:key|passphrase)$/.test(found.problems.at(-1)?.input ?? '');
    const message = hidden
      ? 'behind it stands no option that is known (not shown)'
      : `there is no such option.${suggestion(name, INPUT_NAMES)} See --help`;
    found.problems.push({ input: hidden ? 'command' : label(name), message });
  } else if (value === undefined) {
    found.problems.push({
      input: name,
      message: 'a value is missing after the option (one that starts with "--": --name=value)',
    });
  } else found.values.push({ name, value });
}

/** The text of a key, `-----BEGIN …`, is none. */
function isOption(word: string): boolean {
  return /^--[^-]/.test(word);
}

function splitOnce(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}
