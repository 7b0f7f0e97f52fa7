import { InputError, type InputProblem } from '../errors.ts';
import { createMask } from '../report/mask.ts';
import type { Checked, Parser } from './checked.ts';
import { INPUT_NAMES, isInputName, specOf, type InputName } from './names.ts';
import { suggestion } from './nearest.ts';
import { label } from './show.ts';

/** Input name → value as given. An empty value is as none, except for `sudo`, where it means "never". */
export type RawInputs = ReadonlyMap<string, string>;

const LONGEST = 1_048_576;
const PROBLEMS_AN_INPUT = 20;

/** The inputs while they are being read: hands out values and gathers everything that is wrong with them. */
export interface Form {
  /** The user's own value, normalised; undefined where none was given. */
  given(name: InputName): string | undefined;
  /** Parsed value; undefined where none was given or it is wrong (a problem then). */
  optional<T>(name: InputName, parse: Parser<T>): T | undefined;
  /** Parsed value of an input that has a default; the default where the given one is wrong (a problem then). */
  setting<T>(name: InputName, parse: Parser<T>): T;
  /** Files what a validator found; undefined where it found problems. */
  take<T>(name: InputName, checked: Checked<T>): T | undefined;
  problem(name: InputName, message: string): void;
  warn(name: InputName, message: string): void;
  /** True where the input has a problem already, so that nothing that follows from it needs saying. */
  blamed(name: InputName): boolean;
  /** Ends the reading: returns the warnings, or throws InputError with all problems. */
  close(secrets: string[]): InputProblem[];
}

export interface FormOptions {
  /** What the reader of the command line found wrong already. */
  problems?: readonly InputProblem[] | undefined;
  /** Names that are no inputs may be those of a wrapping action: a warning, where nothing else is wrong. */
  othersMayBeThere?: boolean | undefined;
}

export function openForm(raw: RawInputs, { problems: found = [], othersMayBeThere = false }: FormOptions = {}): Form {
  const problems: InputProblem[] = [...found, ...brokenValues(raw)];
  const unknown = unknownNames(raw);
  const warnings: InputProblem[] = [];
  if (!othersMayBeThere) problems.push(...unknown.splice(0));
  const unreadable = new Set(problems.map((problem) => problem.input));

  const given = (name: InputName): string | undefined => {
    const value = unreadable.has(name) ? '' : normalise(name, raw.get(name) ?? '');
    return value === '' ? undefined : value;
  };
  const take = <T>(name: InputName, checked: Checked<T>): T | undefined => {
    if (!checked.ok) {
      problems.push(...capped(checked.problems).map((message) => ({ input: name, message })));
      return undefined;
    }
    warnings.push(...capped(checked.notes).map((message) => ({ input: name, message })));
    return checked.value;
  };
  const optional = <T>(name: InputName, parse: Parser<T>): T | undefined => {
    const value = given(name);
    return value === undefined ? undefined : take(name, parse(value));
  };

  return {
    given,
    take,
    optional,
    setting: (name, parse) => optional(name, parse) ?? defaultOf(name, parse),
    problem: (input, message) => void problems.push({ input, message }),
    warn: (input, message) => void warnings.push({ input, message }),
    blamed: (name) => problems.some((problem) => problem.input === name),
    close: (secrets) => {
      // A misspelt name is often why another input is missing.
      if (problems.length > 0) throw new InputError(hide(inOrder([...problems, ...unknown]), secrets));
      return hide(inOrder([...unknown, ...warnings]), secrets);
    },
  };
}

function unknownName(name: string): string {
  return `there is no input of this name (an input of the step, or a variable INPUT_… of its job).${suggestion(name, INPUT_NAMES)}`;
}

function unknownNames(raw: RawInputs): InputProblem[] {
  const unknown = [...raw.keys()].filter((name) => !isInputName(name));
  return unknown.map((name) => ({ input: label(name), message: unknownName(name) }));
}

function brokenValues(raw: RawInputs): InputProblem[] {
  const known = [...raw].filter(([name]) => isInputName(name));
  return known.flatMap(([input, value]) => {
    if (value.includes('\0')) return [{ input, message: 'contains a NUL character' }];
    if (value.length > LONGEST) return [{ input, message: `is longer than 1 MiB (${value.length} characters)` }];
    return [];
  });
}

function normalise(name: InputName, value: string): string {
  const text = value.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  // Spaces may belong to a passphrase; its newline comes from a shell or an editor.
  return name === 'passphrase' ? text.replace(/\n$/, '') : text.trim();
}

function defaultOf<T>(name: InputName, parse: Parser<T>): T {
  const checked = parse(specOf(name).default ?? '');
  if (!checked.ok) throw new Error(`the default of ${name} is wrong: ${checked.problems.join('; ')}`);
  return checked.value;
}

function capped(messages: string[]): string[] {
  if (messages.length <= PROBLEMS_AN_INPUT) return messages;
  return [...messages.slice(0, PROBLEMS_AN_INPUT), `and ${messages.length - PROBLEMS_AN_INPUT} more of this kind`];
}

function inOrder(problems: InputProblem[]): InputProblem[] {
  const rank = ({ input }: InputProblem): number => (isInputName(input) ? INPUT_NAMES.indexOf(input) : -1);
  return problems.sort((left, right) => rank(left) - rank(right));
}

// A second wall: messages are written so that no secret gets into them.
function hide(problems: InputProblem[], secrets: string[]): InputProblem[] {
  const mask = createMask(secrets);
  return problems.map(({ input, message }) => ({ input, message: mask(message) }));
}
