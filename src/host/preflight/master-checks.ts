import type { MasterFacts } from '../../target/facts.ts';
import type { Found, HostCheck, MasterCheck } from './check.ts';

export const HOST_CHECKS: HostCheck[] = [
  {
    code: 'not-running',
    check: ({ whyNot, masters }) =>
      whyNot === 'not-running'
        ? {
            message: `no running nginx master was found; an upgrade hands over the sockets of a running one. Seen: ${masters || 'none'}`,
            fix: 'Start nginx, or correct `pid-file` if it names another instance.',
          }
        : undefined,
  },
  {
    code: 'ambiguous-master',
    check: ({ whyNot, masters }) =>
      whyNot === 'ambiguous-master'
        ? {
            message: `several nginx masters run here, and signalling the wrong one would upgrade another site: ${masters}`,
            fix: 'Name the instance with `pid-file`.',
          }
        : undefined,
  },
  {
    code: 'master-user',
    check: ({ whyNot, masters }) =>
      whyNot === 'master-user'
        ? {
            message: `nginx runs as another user than the one who acts here, and as no system service from a directory that only root can write to; what such a process names must not get root's rights: ${masters}`,
            fix: 'Log in as the user that the master runs as, or become that user: `sudo: sudo -n -u NAME`. Where its file was replaced since it started, restart it once.',
          }
        : undefined,
  },
  {
    code: 'pid-file-wrong',
    check: ({ whyNot, masters }) =>
      whyNot === 'other-pid-file'
        ? {
            message: `the pid file that \`pid-file\` names holds the number of a master whose own configuration names another one, and no master's names this one: whoever may write there could have any instance upgraded. Seen: ${masters}`,
            fix: 'Correct `pid-file`, or the `pid` directive; where that was changed on disk, restart nginx once.',
          }
        : undefined,
  },
  {
    code: 'master-hidden',
    check: ({ whyNot, masters }) =>
      whyNot === 'master-hidden'
        ? {
            message: `the login may not look into its own nginx master, because the file that it runs has capabilities: ${masters}`,
            fix: 'Run nginx as a system service from a directory of root (User= in the unit), and let the login become root with sudo.',
          }
        : undefined,
  },
  {
    code: 'container-pid1',
    check: ({ whyNot, masters }) =>
      whyNot === 'container-pid1'
        ? {
            message: `nginx runs only inside a container (another pid namespace), where USR2 is ignored: ${masters}`,
            fix: 'Roll the container with its orchestrator instead.',
          }
        : undefined,
  },
];

const USR2 = 0x800n;
const WINCH = 0x8000000n;
const QUIT = 0x4n;

export const MASTER_CHECKS: MasterCheck[] = [
  { code: 'daemon-off', check: daemonOff },
  {
    code: 'master-process-off',
    check: ({ masterProcess }) =>
      masterProcess === 'off'
        ? {
            message: '`master_process off`: a single process takes the upgrade signal but never acts on it',
            fix: 'Remove `master_process off` and restart nginx once.',
          }
        : undefined,
  },
  { code: 'upgrade-in-progress', check: otherUpgrade },
  {
    code: 'stale-oldbin',
    check: ({ oldbin, pidFile, process, predecessor }) =>
      oldbin !== null && oldbin !== 'directory' && oldbin !== String((predecessor?.process ?? process).pid)
        ? {
            message: `${pidFile}.oldbin is left from an earlier upgrade (it holds "${oldbin}"); nginx will overwrite it`,
            fix: `Remove it, so that no script signals that number: rm ${pidFile}.oldbin`,
          }
        : undefined,
  },
  {
    code: 'pid-file-missing',
    check: ({ pidText, pidFile, process }) =>
      pidText === null
        ? {
            message: `${pidFile} is missing: on USR2 the master could not rename it and would stay unable to reload (ngx_exec_new_binary)`,
            fix: `Write it again: echo ${process.pid} > ${pidFile}`,
          }
        : undefined,
  },
  {
    code: 'pid-file-wrong',
    // In an upgrade that was not ended, nginx itself wrote the new master's number.
    check: ({ pidText, pidFile, process, oldbin }) =>
      pidText !== null && pidText !== String(process.pid) && oldbin !== String(process.pid)
        ? {
            message: `${pidFile} holds "${pidText}", the master is ${process.pid}: whoever signals by that file hits another process or none`,
            fix: `Find out who wrote it, then: echo ${process.pid} > ${pidFile}`,
          }
        : undefined,
  },
  { code: 'pid-directory', check: pidDirectory },
  { code: 'signals-blocked', check: signalsBlocked },
];

/** ngx_signal_handler ignores USR2 while the parent is the one from the start, as it is without daemonizing. */
function daemonOff({ daemon, parent }: MasterFacts): Found {
  if (daemon !== 'off') return undefined;
  return {
    message: `\`daemon off\` is set and the parent is process ${parent}: nginx ignores USR2 (or later WINCH) in this mode`,
    fix: 'Use `daemon on` with a unit of Type=forking and PIDFile=, and restart nginx once; in a container, roll the container.',
  };
}

function otherUpgrade({ children, oldbin, process, predecessor }: MasterFacts): Found {
  if (predecessor !== null) {
    const { pid } = predecessor.process;
    return {
      message: `the old master ${pid} of the last upgrade still drains (${predecessor.workers} workers); while it lives, nginx ignores USR2`,
      fix: `Wait for its connections to end, or cut them: kill -TERM ${pid}`,
    };
  }
  const newMaster = children.find(({ role }) => role === 'master');
  const draining = children.filter(({ role }) => role === 'leaving');
  if (newMaster === undefined && oldbin !== String(process.pid)) return undefined;
  return {
    message:
      `another upgrade was begun here and not ended: old master ${process.pid}, new master ${newMaster?.process.pid ?? 'none'}, ` +
      `${draining.length} old workers shutting down. nginx ignores a second USR2 meanwhile`,
    fix: `End it first. Keep the new version: kill -QUIT ${process.pid}. Go back: kill -HUP ${process.pid}, and when its workers accept, kill -QUIT ${newMaster?.process.pid ?? 'the new master'}.`,
  };
}

function pidDirectory({ pidFile, pidDirWritable, oldbin }: MasterFacts): Found {
  if (oldbin === 'directory') {
    return {
      message: `${pidFile}.oldbin is a directory: the rename at USR2 would fail`,
      fix: `rmdir ${pidFile}.oldbin`,
    };
  }
  if (pidDirWritable) return undefined;
  return {
    message: `the directory of ${pidFile} is not writable: the rename at USR2 would fail and leave the master unable to reload`,
    fix: 'Make it writable for the user that the master runs as.',
  };
}

function signalsBlocked({ signals, surroundings: { threads } }: MasterFacts): Found {
  const mask = (name: string) => BigInt(`0x${new RegExp(`${name}:([0-9a-f]+)`).exec(signals)?.[1] ?? '0'}`);
  const caught = mask('SigCgt');
  const missing = [['USR2', USR2] as const, ['WINCH', WINCH] as const, ['QUIT', QUIT] as const].filter(
    ([, bit]) => (caught & bit) === 0n || (mask('SigBlk') & bit) !== 0n,
  );
  // A signal may reach a thread that knows nothing of nginx.
  if (missing.length === 0 && threads > 1) {
    return {
      message: `the master runs ${threads} threads, which nginx does not start: a module or an engine did, and a signal may reach one of those`,
      fix: 'Restart nginx once without that module, or upgrade by restart.',
    };
  }
  if (missing.length === 0) return undefined;
  return {
    message: `the master blocks or does not catch ${missing.map(([name]) => name).join(', ')}: a module or an engine changed its signal mask`,
    fix: 'Restart nginx once without that module, or upgrade by restart.',
  };
}
