import { readFileSync } from 'node:fs';

let text: string | undefined;

/** The helper that acts on the target, without trailing newline (a command substitution drops it there). */
export function helperProgram(): string {
  // In the bundle this file lies beside the helper, too: the build copies it.
  text ??= readFileSync(new URL('./helper.sh', import.meta.url), 'utf8').trimEnd();
  return text;
}

/**
 * The command line that makes any login shell read exactly `bytes` of program from standard input and run it.
 *
 * Shells differ in how far they read ahead on `sh -s`, and so do the `head`s: `dd` counts. The words hold neither single
 * quotes nor `!`, so that csh and fish take them as well.
 */
export function startCommand(options: {
  entry: 'session' | 'receive' | 'once';
  bytes: number;
  sudo: string[];
}): string {
  const counted = `iflag=fullblock,count_bytes`;
  const words =
    `if dd if=/dev/null of=/dev/null ${counted} 2>/dev/null;` +
    `then NHU=$(dd bs=65536 ${counted} count=${options.bytes} 2>/dev/null);` +
    `else NHU=$(dd bs=1 count=${options.bytes} 2>/dev/null);fi;eval "$NHU"`;
  const role = options.sudo.length > 0 ? [options.entry, 'elevated'] : [options.entry];
  return [...options.sudo, '/bin/sh', '-c', `'${words}'`, 'nginx-hot-upgrade', ...role].join(' ');
}
