import { argsOf } from '../../nginx/server.ts';
import type { Facts, MasterFacts } from '../../target/facts.ts';
import { wantedWorkers } from '../workers.ts';
import type { Found, MasterCheck } from './check.ts';

const ELF = '7f454c46';

/** Of the file that runs, and of what is around it. */
export const EXEC_CHECKS: MasterCheck[] = [
  { code: 'unsafe-path', check: unsafePath },
  { code: 'command-line-unreadable', check: unreadableCommandLine },
  { code: 'relative-argv0', check: relativeArgv0 },
  { code: 'argv0-not-running-file', check: notTheRunningFile },
  { code: 'path-not-of-unit', check: notOfUnit },
  { code: 'binary-directory', check: binaryDirectory },
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
  { code: 'other-root', check: otherRoot },
  { code: 'noexec', check: noexec },
  { code: 'process-limit', check: processLimit },
  { code: 'memory', check: memory },
  { code: 'mandatory-access-control', check: accessControl },
  { code: 'environment-lost', check: environmentLost },
  { code: 'capabilities', check: capabilities },
  {
    code: 'package-owned',
    check: ({ package: name, path }) =>
      name === ''
        ? undefined
        : {
            message: `${path} belongs to the package ${name}: its next update puts another file there, and may restart nginx`,
            fix: `Put it on hold (apt-mark hold ${name}, dnf versionlock add ${name}), or ship the new binary as a package.`,
          },
  },
];

function unsafePath({ unsafe }: MasterFacts): Found {
  if (unsafe.length === 0) return undefined;
  return {
    message: `a path of this nginx holds control characters or "|" (${[...new Set(unsafe)].join(', ')}): on the target such a name could pass for something else`,
    fix: 'Rename it, or the directory that a local user renamed, and reload nginx.',
  };
}

function unreadableCommandLine({ titleCut }: MasterFacts): Found {
  if (!titleCut) return undefined;
  return {
    message:
      'the title of the master, which holds its options, has more than 4096 bytes: what it was started with cannot be told for sure',
    fix: 'Move what `-g` says into the configuration, and restart nginx once.',
  };
}

/** Whoever runs a master of his own can make its title name any program of root. */
function notOfUnit({ uid, unit, path }: MasterFacts, { uid: actor }: Facts): Found {
  if (uid === actor || unit?.startsBinary === true) return undefined;
  return {
    message: `the master runs as user ${uid} and says that it was started as ${path}, which its unit${unit === null ? '' : ` ${unit.name}`} does not start: a user can make his master say that of any file`,
    fix: 'Start nginx in ExecStart= of the unit by the path of its binary, without a script, and restart it once.',
  };
}

function binaryDirectory({ binaryPlace, path }: MasterFacts): Found {
  if (binaryPlace === '') return undefined;
  const whose =
    binaryPlace === 'several'
      ? 'several users can'
      : `user ${binaryPlace} can, who owns it or a directory that leads to it,`;
  return {
    message: `root runs ${path}, and ${whose} put another file there at any time, also in the instant of the switch`,
    fix: `Let root alone own and write the directory and all that lead to it (chown root, chmod go-w).`,
  };
}

function otherRoot({ sameRoot, path }: MasterFacts): Found {
  if (sameRoot) return undefined;
  return {
    message: `the master sees another directory at the path of ${path} (a chroot, RootDirectory=, or a mount of its own): it would not find the new file there`,
    fix: 'Keep the binary in a directory that both see, and restart once.',
  };
}

function noexec({ surroundings: { mount }, path }: MasterFacts): Found {
  if (mount === null || !mount.options.includes('noexec')) return undefined;
  return {
    message: `${path} lies on ${mount.point}, which is mounted noexec: exec of the new binary would fail`,
    fix: `mount -o remount,exec ${mount.point}`,
  };
}

/** A fork that fails leaves the master unable to reload for good (ngx_spawn_process, ngx_exec_new_binary). */
function processLimit(master: MasterFacts, facts: Facts): Found {
  const { processesLeft } = master.surroundings;
  // The new master, its workers, cache manager and loader, and a moment's helpers.
  const needed = wantedWorkers(master, facts) + 5;
  if (processesLeft === null || processesLeft >= needed) return undefined;
  return {
    message: `the limits of nginx leave room for ${processesLeft} more processes, the new generation needs ${needed}: fork would fail`,
    fix: 'Raise TasksMax= of the unit (systemctl set-property), or LimitNPROC= where the master is no root.',
  };
}

function memory({ surroundings: { heldKb, freeKb } }: MasterFacts): Found {
  if (freeKb === null || freeKb >= heldKb) return undefined;
  const mb = (kb: number) => `${Math.round(kb / 1024)} MiB`;
  return {
    message: `the old generation holds ${mb(heldKb)} of memory, and ${mb(freeKb)} are free for the new one beside it: the kernel may end either`,
    fix: 'Free some, or raise MemoryMax= of the unit.',
  };
}

function accessControl({ surroundings: { label, selinuxEnforces }, path, pidFile }: MasterFacts): Found {
  if (label === '' || /unconfined/.test(label)) return undefined;
  if (label.includes(':') && !selinuxEnforces) return undefined;
  return {
    message: `the master is confined (${label}): the policy has to allow exec of ${path} and the rename of ${pidFile}`,
    fix: label.includes(':')
      ? 'The new file gets the label of the old one; look for AVC lines in the audit log after a `plan`.'
      : `See that the profile has: ${path} mrix, ${pidFile} rw, ${pidFile}.oldbin rw.`,
  };
}

/** What every shell and every unit sets, and nginx never reads. */
const IRRELEVANT =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TERM|TZ|PWD|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID)$/;

/** The new master gets TZ, and what `env` names (ngx_set_environment). */
function environmentLost(master: MasterFacts): Found {
  const { unit, surroundings } = master;
  const kept = new Set(argsOf(master, 'main', 'env').map((args) => args.split('=', 1)[0]));
  const names = (unit?.properties.get('Environment') ?? '').split(' ').filter((name) => name !== '');
  const lost = names.filter((name) => !kept.has(name) && !IRRELEVANT.test(name));
  const file = unit?.properties.get('EnvironmentFiles') ?? '';
  const parts = [
    lost.length > 0 ? `variables of ${unit?.name}: ${lost.join(', ')}` : '',
    file === '' ? '' : `variables from ${file.replace(/ \(.*$/, '')}`,
    surroundings.preloads.length > 0 && !kept.has('LD_PRELOAD') ? `preloaded: ${surroundings.preloads.join(', ')}` : '',
  ].filter((part) => part !== '');
  if (parts.length === 0) return undefined;
  return {
    message: `the new master does not get what nginx was started with (${parts.join('; ')}): only TZ and what \`env\` names`,
    fix: 'Name them in the configuration with `env`, or link the library in; then reload.',
  };
}

function capabilities({ fileCapabilities, path, surroundings }: MasterFacts): Found {
  if (fileCapabilities === '') return undefined;
  const useless = surroundings.noNewPrivileges ? ' (which do nothing here: NoNewPrivileges is set)' : '';
  return {
    message: `${path} has file capabilities${useless}: ${fileCapabilities}; the new file is given the same`,
    fix: 'Nothing needs to be done. AmbientCapabilities= in the unit would not depend on the file.',
  };
}

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

/**
 * Codes that refuse for good only in some cases: `relative-argv0` is survivable where it leads to the running file (contract,
 * section 6), `binary-directory` where there is one user, with whose rights all is done there.
 */
export function isSurvivable(code: string, { path, pathInode, exeInode, binaryPlace }: MasterFacts): boolean {
  if (code === 'binary-directory') return binaryPlace !== 'several';
  return code !== 'relative-argv0' || (path !== '' && pathInode !== '' && pathInode === exeInode);
}
