import { basename } from 'node:path';
import { compareVersions } from '../../nginx/versions.ts';
import type { MasterFacts } from '../../target/facts.ts';
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
  { code: 'module-directory', check: moduleDirectory },
  { code: 'libc', check: otherLibc },
  { code: 'missing-library', check: missingLibrary },
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

/** All files of one switch are put in place with the rights of one user. */
function moduleDirectory({ modules }: Candidate, { master }: { master: MasterFacts }): Found {
  const { modulesPlace, binaryPlace } = master;
  const replaced = master.modules.filter(
    (path) => modules === undefined || modules.some(({ name }) => name === basename(path)),
  );
  if (replaced.length === 0 || modulesPlace === binaryPlace) return undefined;
  const who = (place: string) =>
    place === '' ? 'root alone' : place === 'several' ? 'several users' : `user ${place}`;
  return {
    message: `${who(modulesPlace)} can write to the directory of the modules (${replaced.join(', ')}), ${who(binaryPlace)} to that of the binary`,
    fix: 'Let root alone own and write both, and all directories that lead to them.',
  };
}

/** Where several names mean one family, the target's own try at running the file decides. */
function runsOn(file: string, host: string): boolean {
  return file === host || (file === 'i686' && host === 'x86_64') || host.startsWith(file);
}

const ELSEWHERE =
  'Build it on the distribution and release of the host (in GitHub Actions with `container: debian:12`, say); Debian, Ubuntu, RHEL and Alpine differ in this.';

/** glibc is compatible upwards only, and no other C library loads what was linked for it. */
function otherLibc({ needs, interpreter }: Candidate, { master }: { master: MasterFacts }): Found {
  const host = /^glibc (\d+\.\d+)/.exec(master.libc)?.[1];
  if (/musl/.test(interpreter ?? '') && host !== undefined)
    return { message: `the new binary was linked for musl, the host has glibc ${host}`, fix: ELSEWHERE };
  if (needs?.glibc === undefined) return undefined;
  if (host === undefined)
    return {
      message: 'the new binary was linked for glibc, the host has another C library',
      fix: `${ELSEWHERE} For Alpine: \`container: alpine\`.`,
    };
  if (compareVersions(needs.glibc, host) <= 0) return undefined;
  return { message: `the new binary needs glibc ${needs.glibc}, the host has ${host}`, fix: ELSEWHERE };
}

/** Of what the loader does not know; where a run path leads elsewhere, the target's own try decides. */
function missingLibrary({ needs }: Candidate, { master }: { master: MasterFacts }): Found {
  if (needs === undefined || needs.rpath || master.libraries.size === 0) return undefined;
  const missing = needs.libraries.filter((name) => !master.libraries.has(name) && !/^(?:ld-|libc\.)/.test(name));
  if (missing.length === 0) return undefined;
  return {
    message: `the new binary needs ${missing.join(', ')}, which the loader of the host does not know`,
    fix: 'Install the packages that hold them on the host, or build on the release that it runs.',
  };
}
