import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CommandResult {
  /** Exit status; 128 + signal number is not imitated: a killed command has `null`. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Milliseconds after which the command is killed; fifteen minutes where not given. */
  timeout?: number;
}

/** Runs a program to its end. Rejects only where it cannot be started. */
export async function command(words: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    timeout: options.timeout ?? 900_000,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {
    // A program that ends without reading its input is no mistake of ours.
  });
  child.stdin.end(options.input ?? '');
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Like `command`, but anything but exit 0 is an Error that holds the last lines of the output. */
export async function mustRun(words: string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await command(words, options);
  if (code === 0) return stdout;
  const lines = (stdout + stderr).trim().split('\n').slice(-20).join('\n');
  throw new Error(`expected exit 0 of "${words.join(' ')}", found ${code ?? 'a signal'}:\n${lines}`);
}

/** `words` as root: as they are where we are root, through `sudo -n` elsewhere. */
export function asRoot(words: string[]): string[] {
  return process.getuid?.() === 0 ? words : ['sudo', '-n', ...words];
}
