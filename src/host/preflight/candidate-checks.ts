import { compareVersions } from '../../nginx/versions.ts';
import { effectivePaths } from '../../nginx/paths.ts';
import type { MasterFacts } from '../../target/facts.ts';
import { parseBuildInfo } from '../../nginx/build-info.ts';
import type { Candidate, CandidateCheck, Found } from './check.ts';

/** Of the file alone: known before anything is sent. */
export const FILE_CHECKS: CandidateCheck[] = [
  {
    code: 'architecture',
    check: ({ machine }, { facts }) =>
      machine === undefined || runsOn(machine, facts.machine)
        ? undefined
        : {
            message: `the new binary is for ${machine}, the host is ${facts.machine}: exec would fail`,
            fix: `Build or download nginx for ${facts.machine}.`,
          },
  },
  {
    code: 'disk-space',
    // The staged file, the retained old one and as much again to spare.
    check: ({ size }, { master }) =>
      master.diskFreeKb * 1024 >= size * 3
        ? undefined
        : {
            message: `${master.diskFreeKb} KiB are free beside ${master.path}; the new binary and the kept old one need ${Math.ceil((size * 3) / 1024)} KiB`,
            fix: 'Free some space on that file system.',
          },
  },
];

/** Where several names mean one family, the target's own try at running the file decides. */
function runsOn(file: string, host: string): boolean {
  return file === host || (file === 'i686' && host === 'x86_64') || host.startsWith(file);
}

/** Of what the new binary says of itself (`-V`), on the runner or on the target. */
export const BUILD_CHECKS: CandidateCheck[] = [
  { code: 'flavour-differs', check: flavourDiffers },
  { code: 'prefix-differs', check: (candidate, { master }) => pathDiffers(candidate, { master, which: 'prefix' }) },
  { code: 'conf-path-differs', check: (candidate, { master }) => pathDiffers(candidate, { master, which: 'conf' }) },
  { code: 'pid-path-differs', check: (candidate, { master }) => pathDiffers(candidate, { master, which: 'pid' }) },
  {
    code: 'downgrade',
    check: ({ build }, { master, allowDowngrade }) => {
      const running = parseBuildInfo(master.build).version;
      if (allowDowngrade || compareVersions(build.version, running) >= 0) return undefined;
      return {
        message: `${build.version} is older than the running ${running}`,
        fix: 'Set `allow-downgrade: true` if that is meant.',
      };
    },
  },
];

function flavourDiffers({ build }: Candidate, { master }: { master: MasterFacts }): Found {
  const running = parseBuildInfo(master.build).flavour;
  if (build.flavour === running) return undefined;
  return {
    message: `the running server is ${running || 'unknown'}, the new binary ${build.flavour || 'says nothing of itself'}: they do not hand over sockets to each other`,
    fix: 'Give a binary of the same flavour; changing the flavour needs a restart.',
  };
}

const FLAGS = {
  prefix: { flag: '--prefix', why: 'every relative path in the configuration would lead elsewhere' },
  conf: { flag: '--conf-path', why: 'the new master would read another configuration' },
  pid: { flag: '--pid-path', why: 'systemd and scripts would lose the new master' },
} as const;

function pathDiffers(candidate: Candidate, options: { master: MasterFacts; which: keyof typeof FLAGS }): Found {
  const { master, which } = options;
  const { flag, why } = FLAGS[which];
  const old = effectivePaths(parseBuildInfo(master.build), master)[which];
  const next = effectivePaths(candidate.build, master)[which];
  if (sameFile(old, next)) return undefined;
  return {
    message: `the new binary would use ${next}, the running one uses ${old}: ${why}`,
    fix: `Build it with ${flag}=${old}.`,
  };
}

function sameFile(a: string, b: string): boolean {
  const plain = (path: string) => path.replace(/\/+$/, '').replace(/^\/var\/run\//, '/run/');
  return plain(a) === plain(b);
}
