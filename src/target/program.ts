import { readFileSync } from 'node:fs';
import { helperText } from './helper-text.ts';
import { PREFACE, TAKE_PREFACE, WORD } from './preface.ts';

/** Read once, whatever the number of targets. */
const programs: { helper?: string; gate?: string } = {};

/**
 * The helper as it is sent: without comments and indentation, which are a third of it and one round trip more on a new
 * connection, and without trailing newline (a command substitution drops it there).
 */
export function helperProgram(): string {
  return (programs.helper ??= asSent(helperText()));
}

/** What decides on the target whether the helper has to run as root. In the bundle this file lies beside that one, too. */
function gateProgram(): string {
  return (programs.gate ??= asSent(readFileSync(new URL('./gate.sh', import.meta.url), 'utf8')));
}

function asSent(text: string): string {
  return text.trimEnd().replaceAll(/^ *#(?!!).*\n|^\n|^ +/gm, '');
}

/**
 * A program as it travels: each line a comment. Some logins give every line that they read to a shell of its own, and
 * nothing ends those.
 */
export function unrunnable(program: string): string {
  return program.replaceAll(/^/gm, '#');
}

export interface Start {
  entry: 'session' | 'once';
  /** How to become root, as words. */
  sudo: string[];
  /** `now`: through `sudo` at once. `asNeeded`: the gate looks whose master it is. `never`. */
  elevate: 'now' | 'asNeeded' | 'never';
  marker: string;
  pidFile?: string;
}

/** The command line for a new helper, and what it must find on its standard input first. */
export function startOf({ entry, sudo, elevate, marker, pidFile }: Start): { command: string; input: string } {
  const program = unrunnable(helperProgram());
  const bytes = program.length;
  if (elevate !== 'asNeeded') {
    const command = startCommand({ entry, bytes, sudo: elevate === 'now' ? sudo : [] });
    return { command, input: `${PREFACE}${program}nhu1\t${marker}\n` };
  }
  // One compound command: a shell reads it to its end before it runs any of it, and so none of it line by line.
  const gate = unrunnable(`{\nNHU_START='${readAndRun(bytes)}'\n${gateProgram()}\n}`);
  const hello = ['nhu1', marker, `sudo=${sudo.join(' ')}`, ...(pidFile === undefined ? [] : [`pid_file=${pidFile}`])];
  const command = startCommand({ entry, bytes: gate.length, sudo: [] });
  // Whoever goes on is told the marker anew: as an argument others could read it.
  return { command, input: `${PREFACE}${gate}${hello.join('\t')}\n${PREFACE}${program}nhu1\t${marker}\n` };
}

/**
 * The command line that makes any login shell read exactly `bytes` of program from standard input, behind the preface,
 * and run it.
 */
export function startCommand(options: { entry: Start['entry']; bytes: number; sudo: string[] }): string {
  const role = options.sudo.length > 0 ? [options.entry, 'elevated'] : [options.entry];
  const words = `echo ${WORD};${readAndRun(options.bytes)}`;
  return [...options.sudo, '/bin/sh', '-c', `'${words}'`, 'nginx-hot-upgrade', ...role].join(' ');
}

/**
 * Shells differ in how far they read ahead on `sh -s`, and so do the `head`s: `dd` counts. One that knows no such flags
 * says so before it reads. The words hold neither single quotes nor `!`, so that csh and fish take them as well.
 */
function readAndRun(bytes: number): string {
  return (
    // A login may look for programs where others can put them.
    `PATH=/usr/sbin:/usr/bin:/sbin:/bin;${TAKE_PREFACE}` +
    `NHU=$({ dd bs=65536 iflag=fullblock,count_bytes count=${bytes}||dd bs=1 count=${bytes};} 2>/dev/null|cut -b2-);` +
    'eval "$NHU"'
  );
}
