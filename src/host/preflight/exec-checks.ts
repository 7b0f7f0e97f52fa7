import type { MasterFacts } from '../../target/facts.ts';
import type { Found, MasterCheck } from './check.ts';

const ELF = '7f454c46';

export const EXEC_CHECKS: MasterCheck[] = [
  { code: 'relative-argv0', check: relativeArgv0 },
  { code: 'argv0-not-running-file', check: notTheRunningFile },
  {
    code: 'shared-binary',
    check: ({ sharedWith, path }) =>
      sharedWith === ''
        ? undefined
        : {
            message: `another master (${sharedWith}) runs the same file, ${path}: it would take the new one at its next restart or upgrade`,
            fix: 'Give each instance a binary of its own. Where both shall have the new one, upgrade the other next.',
          },
  },
  {
    code: 'wrapper-script',
    check: ({ magic, path }) =>
      magic !== '' && magic !== ELF
        ? {
            message: `${path}, the command that started nginx, is no program but a script or text: replacing it would not replace nginx`,
            fix: 'Start nginx by the absolute path of its binary.',
          }
        : undefined,
  },
  {
    code: 'immutable',
    check: ({ pathWritable, path }) =>
      pathWritable
        ? undefined
        : {
            message: `the directory of ${path} cannot be written: read-only, immutable, or not this user's`,
            fix: 'Remount it writable, `chattr -i` it, or let `sudo` become root.',
          },
  },
];

/** nginx runs execve(argv[0]) without searching PATH, relative to the master's directory (ngx_exec_new_binary). */
function relativeArgv0({ argv0, cwd, path, pathInode, exeInode }: MasterFacts): Found {
  if (argv0.startsWith('/')) return undefined;
  const leadsThere = pathInode !== '' && pathInode === exeInode;
  return {
    message: leadsThere
      ? `nginx was started as "${argv0}" in ${cwd}, not by an absolute path; it still resolves to the running file ${path}`
      : `nginx was started as "${argv0}" in ${cwd}, and from there that leads to no file that runs: exec of the new binary would fail`,
    fix: 'Start nginx by an absolute path (in its unit or start script) and restart it once.',
  };
}

function notTheRunningFile({ argv0, exe, exeInode, path, pathInode }: MasterFacts): Found {
  if (pathInode === exeInode || (!argv0.startsWith('/') && pathInode === '')) return undefined;
  return {
    message: `the master runs ${exe}, but its command ${argv0} leads to ${pathInode === '' ? 'no file' : `another file, ${path}`}: a package or a deployment replaced it`,
    fix: 'Restart nginx once so that it runs the file on disk. Where that is accepted, what is at that path now is what a rollback restores.',
  };
}

/** Codes that refuse for good only in some cases (contract, section 6): `relative-argv0` is survivable where it leads to the running file. */
export function isSurvivable(code: string, { path, pathInode, exeInode }: MasterFacts): boolean {
  return code !== 'relative-argv0' || (path !== '' && pathInode !== '' && pathInode === exeInode);
}
