import { messageOf } from '../errors.ts';
import { refuse } from './refusal.ts';

/** What a program gets of the job's environment: no token and no secret is among it. */
export function cleanEnvironment() {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: '/nonexistent',
  };
}

/** Packages that hold the programs that we call, by the name of the program. */
const PACKAGES: Record<string, string> = {
  'dpkg-deb': 'dpkg',
  gpgv: 'gpgv (Debian, Ubuntu), gnupg2 (RHEL, Fedora), gpg2 (SUSE), gnupg (Alpine)',
  xz: 'xz-utils (Debian, Ubuntu), xz',
};

/** Runs a program to its end. Resolves to what it printed; rejects where it fails, Refused where it is not installed. */
export async function runTool([program = '', ...args]: string[]): Promise<string> {
  const { getExecOutput } = await import('@actions/exec');
  try {
    const { stdout } = await getExecOutput(quoted(program), args, { silent: true, env: cleanEnvironment() });
    return stdout;
  } catch (error) {
    throw missing(program, error) ?? error;
  }
}

/** The bytes that a program writes, at most `limit`. */
export async function streamTool([program = '', ...args]: string[], { limit }: { limit: number }): Promise<Buffer> {
  const { exec } = await import('@actions/exec');
  const pieces: Buffer[] = [];
  let size = 0;
  const stdout = (piece: Buffer): void => {
    size += piece.length;
    if (size <= limit) pieces.push(piece);
  };
  try {
    await exec(quoted(program), args, { silent: true, env: cleanEnvironment(), listeners: { stdout } });
  } catch (error) {
    throw missing(program, error) ?? error;
  }
  if (size > limit) throw new Error(`${program} wrote ${size} bytes, expected at most ${limit}`);
  return Buffer.concat(pieces);
}

/** @actions/exec takes the program for a command line, and splits it at blanks (argStringToArray). */
export function quoted(program: string): string {
  return `"${program.replaceAll('"', String.raw`\"`)}"`;
}

function missing(program: string, error: unknown): Error | undefined {
  if (!/Unable to locate executable/.test(messageOf(error))) return undefined;
  const where = PACKAGES[program] ?? program;
  return refuse('build-dependency', `this machine has no ${program}, which is needed here`, `Install it: ${where}.`);
}
