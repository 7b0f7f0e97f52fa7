import { helperProgram } from '../../src/target/program.ts';
import type { Shell } from './helper-session.ts';

const START = 'main "$@"';

/** The helper with more lines before its last one, which starts it: there they may put functions over its own. */
export function programWith(...lines: string[]): string {
  const text = helperProgram();
  if (!text.endsWith(START)) throw new Error(`expected the helper to end with ${START}, found other words`);
  return [text.slice(0, -START.length), ...lines, START].join('\n');
}

/** The helper's functions, and `body` instead of its start: prints what `body` prints. */
export function programThat(body: string): string {
  return programWith(body, 'exit').slice(0, -START.length);
}

/** The helper whose function `name` does `first` before all else. */
export function programWithFirst(name: string, first: string): string {
  const text = helperProgram();
  const head = `\n${name}() {`;
  if (!text.includes(head)) throw new Error(`expected a function ${name} in the helper, found none`);
  return text.replace(head, () => `${head}\n${first}\n`);
}

/** Its guard runs under `shell`, too, instead of `/bin/sh`. */
export function guardUnder(shell: Shell, program = helperProgram()): string {
  return program.replaceAll('/bin/sh "$D/helper"', `${shell} "$D/helper"`);
}

/**
 * The session stops itself (SIGSTOP) right before it sends `signal`, after all its checks. Once only: `mark` is a file
 * that tells so.
 */
export function pausedBeforeSignal(signal: 'USR2' | 'WINCH' | 'HUP' | 'QUIT', mark: string): string {
  return programWith(
    `kill() {
  if [ "\${ACTOR-} $1" = "session -${signal}" ] && [ ! -e '${mark}' ]; then : >'${mark}'; command kill -STOP $$; fi
  command kill "$@"
}`,
  );
}

const EFFECTS = ['mv', 'ln', 'rm', 'mkdir', 'cp', 'chmod', 'touch', 'kill', 'setsid'];

export interface FaultOptions {
  /** Whose effects are counted. */
  actor?: 'session' | 'guard';
  /** Every journal line, or besides every command that changes something. */
  effects: 'journal' | 'all';
  /** Gets one line for each effect. */
  trace?: string;
  /** The actor is killed right before this effect; a journal line is written by then. */
  killAt?: number;
}

/** Numbers what the helper does to the world, so that a test can end it at each number in turn. */
export function programWithFaults({ actor = 'session', effects, trace, killAt = 0 }: FaultOptions): string {
  const commands = effects === 'all' ? EFFECTS : [];
  const text = programWith(
    'EFFECTS=0',
    `effect() {
  [ "\${ACTOR-}" = ${actor} ] || return 0
  EFFECTS=$((EFFECTS + 1))
  ${trace === undefined ? '' : `printf '%s\\n' "$*" >>'${trace}'`}
  [ "$EFFECTS" != ${killAt} ] || command kill -KILL $$
}`,
    'journal() { journal_line "$@"; effect journal "$1"; }',
    ...commands.map((name) => `${name}() { effect ${name} "$@"; command ${name} "$@"; }`),
  );
  if (!text.includes('\njournal() {\n')) throw new Error('expected a function journal in the helper, found none');
  return text.replace('\njournal() {\n', '\njournal_line() {\n');
}
