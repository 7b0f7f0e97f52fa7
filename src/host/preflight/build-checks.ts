import { basename } from 'node:path';
import { type BuildInfo, parseBuildInfo } from '../../nginx/build-info.ts';
import { type ConfigureArgs, valueIn } from '../../nginx/configure-args.ts';
import { featuresIn, leftOut, moduleCore } from '../../nginx/modules.ts';
import { argsOf } from '../../nginx/server.ts';
import { effectivePath, samePath, SHARED_PATHS } from '../../nginx/shared-paths.ts';
import { compareVersions } from '../../nginx/versions.ts';
import type { MasterFacts } from '../../target/facts.ts';
import type { Candidate, CandidateCheck, Found } from './check.ts';

/** Of what the new binary says of itself (`-V`), on the runner or on the target, against what the running one says. */
export const BUILD_CHECKS: CandidateCheck[] = [
  { code: 'flavour-differs', check: flavourDiffers },
  ...[...new Set(SHARED_PATHS.map(({ code }) => code))].map((code) => ({
    code,
    check: (candidate: Candidate, { master }: { master: MasterFacts }) => pathsDiffer(candidate, { code, master }),
  })),
  { code: 'user-differs', check: userDiffers },
  { code: 'modules-path-differs', check: modulesPathDiffers },
  { code: 'module-lost', check: moduleLost },
  { code: 'module-signature', check: moduleSignature },
  { code: 'tls-library-differs', check: tlsLibraryDiffers },
  { code: 'hardening-lost', check: hardeningLost },
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

/** All paths that go by one code: what beats the argument beats it for both, and then nothing differs. */
function pathsDiffer({ build }: Candidate, { code, master }: { code: string; master: MasterFacts }): Found {
  const running = parseBuildInfo(master.build);
  const differing = SHARED_PATHS.filter((path) => path.code === code).flatMap((path) => {
    const [old, next] = [effectivePath(path, running, master), effectivePath(path, build, master)];
    return samePath(old, next) ? [] : [{ ...path, old, next }];
  });
  const [first] = differing;
  if (first === undefined) return undefined;
  const changes = differing.map(({ flag, old, next }) => `${flag}: ${next} instead of ${old}`);
  const wanted = differing.map(({ flag, old }) => `${flag}=${old}`);
  return {
    message: `the new binary would use other paths than the running one (${changes.join(', ')}): ${first.why}`,
    fix: `Build it with ${wanted.join(' ')}, or set ${first.beaten.by} for both.`,
  };
}

/** Only root can become somebody else, and `user` beats both builds. */
function userDiffers({ build }: Candidate, { master }: { master: MasterFacts }): Found {
  if (master.uid !== 0 || argsOf(master, 'main', 'user').length > 0) return undefined;
  const userOf = (args: ConfigureArgs) => valueIn(args, '--user') ?? 'nobody';
  const [old, next] = [userOf(parseBuildInfo(master.build).arguments), userOf(build.arguments)];
  if (old === next) return undefined;
  return {
    message: `workers would run as ${next} instead of ${old}: temporary and cache directories change hands, which a rollback does not undo`,
    fix: `Build it with --user=${old}, or set \`user ${old};\` in the configuration and reload.`,
  };
}

function modulesPathDiffers({ build }: Candidate, { master }: { master: MasterFacts }): Found {
  const pathOf = (args: ConfigureArgs) => valueIn(args, '--modules-path') ?? 'modules';
  const [old, next] = [pathOf(parseBuildInfo(master.build).arguments), pathOf(build.arguments)];
  if (samePath(old, next)) return undefined;
  return {
    message: `the new binary was built for modules in ${next}, the running one for ${old}; \`load_module\` goes by the prefix, so only installations differ`,
    fix: `Build it with --modules-path=${old} to have one place.`,
  };
}

function moduleLost({ build }: Candidate, { master }: { master: MasterFacts }): Found {
  const lost = lostFeatures(parseBuildInfo(master.build).arguments, build.arguments);
  if (lost.length === 0) return undefined;
  return {
    message: `the new binary is without what the running one has: ${lost.join(', ')}; a configuration that uses it will be refused`,
    fix: 'Build it with the same arguments if any of that is used.',
    // Whether the configuration uses it, the new binary's own test of it tells.
    mild: true,
  };
}

/** A loaded module belongs to one nginx version (ngx_add_module); one of the same version only loading it can judge. */
function moduleSignature({ build, modules }: Candidate, { master }: { master: MasterFacts }): Found {
  const running = parseBuildInfo(master.build).version;
  if (build.version === running || modules === undefined) return undefined;
  const left = master.modules.filter((path) => !modules.some(({ name }) => name === basename(path)));
  if (left.length === 0) return undefined;
  const names = left.map((path) => basename(path).replace(/^ngx_(?:http_)?|(?:_filter)?_module\.so$/g, ''));
  return {
    message: `the configuration loads ${left.join(', ')}, built for ${running}: ${build.version} refuses modules of another version`,
    fix: `Build both together: \`configure-args: inherit\`, and for each third-party module its sources in \`add-modules\` (such as \`${names[0]}=path\`).`,
  };
}

/** Everything that `next` lacks. */
export function lostFeatures(running: ConfigureArgs, next: ConfigureArgs): string[] {
  const there = featuresIn(next);
  const lost = featuresIn(running).filter(({ name, dynamic }) => {
    const again = there.find((other) => other.name === name || sameThirdParty(other.name, name));
    return again === undefined || (again.dynamic && !dynamic);
  });
  const off = leftOut(next).filter((name) => !leftOut(running).includes(name));
  return [...lost.map(({ name }) => name), ...off];
}

function sameThirdParty(a: string, b: string): boolean {
  if (!a.startsWith('module ') || !b.startsWith('module ')) return false;
  return moduleCore(a.slice(7)) === moduleCore(b.slice(7));
}

function tlsLibraryDiffers({ build }: Candidate, { master }: { master: MasterFacts }): Found {
  const running = parseBuildInfo(master.build).tls?.running;
  const next = build.tls?.running;
  if (running === undefined || next === undefined || tlsLine(running) === tlsLine(next)) return undefined;
  return {
    message: `TLS comes from ${next} instead of ${running}: protocols, ciphers, providers and engines may differ`,
    fix: 'Build it against the library of the target, or try its TLS settings on a test host first.',
  };
}

/** The library and its feature release: `OpenSSL 3.0` of `OpenSSL 3.0.20`. */
function tlsLine(library: string): string {
  return library.split('.').slice(0, 2).join('.');
}

const HARDENING = [
  /-fstack-protector(?:-strong|-all)?\b/,
  /-D_FORTIFY_SOURCE=[1-9]/,
  /(?:^|\s)-(?:fPIE|pie)\b/,
  /-Wl,-z,relro/,
  /-Wl,-z,now/,
  /-fcf-protection/,
  /-fstack-clash-protection/,
];

function hardeningLost({ build }: Candidate, { master }: { master: MasterFacts }): Found {
  const [before, after] = [compilerWords(parseBuildInfo(master.build)), compilerWords(build)];
  const lost = HARDENING.filter((pattern) => pattern.test(before) && !pattern.test(after));
  if (lost.length === 0) return undefined;
  const words = lost.map((pattern) => pattern.exec(before)?.[0].trim());
  return {
    message: `the new binary was built without hardening that the running one has: ${words.join(', ')}`,
    fix: 'Build it with the same --with-cc-opt and --with-ld-opt.',
  };
}

function compilerWords({ arguments: args }: Pick<BuildInfo, 'arguments'>): string {
  return `${valueIn(args, '--with-cc-opt') ?? ''} ${valueIn(args, '--with-ld-opt') ?? ''}`;
}
