import type { ModuleSource } from '../config.ts';
import { type ConfigureArgs, nameOf, valueOf } from '../nginx/configure-args.ts';
import { moduleCore } from '../nginx/modules.ts';
import { unsafeArgument } from './safe-arguments.ts';
import type { Finding } from '../report/result.ts';

/** What became of one argument on its way from the running binary to the new one; what stayed as it was is not told. */
export interface Change {
  arg: string;
  /** Null: left out. */
  became: string | null;
  why: string;
}

/** The arguments for a build, ready for `configure`. */
export interface ArgsPlan {
  args: ConfigureArgs;
  changes: Change[];
  /** Third-party modules that the arguments name, by the directory below the sources where they are expected. */
  placed: ModuleSource[];
  /** Those that no argument names: built for whatever `load_module` wants of them. */
  unplaced: ModuleSource[];
}

/** Whose words the arguments are. */
export type From = 'user' | 'target';

export interface ArgsWish {
  /** Of the running binary (`target`), or the user's own. */
  base: ConfigureArgs;
  from: From;
  extra: ConfigureArgs;
  omit: ConfigureArgs;
  modules: readonly ModuleSource[];
  /** Whether this machine has a file at an absolute path. */
  exists: (path: string) => boolean;
}

/** Where the sources of a module are put, from the directory of nginx's own. The same on every machine: `-V` shows it. */
export function placeOf({ name }: ModuleSource): string {
  return `modules/${name}`;
}

/**
 * Turns arguments that were made for another machine into ones that work here: paths that only the builder of the running
 * binary had are replaced, or else refused. What can be kept is kept token by token.
 */
export function planArgs(wish: ArgsWish): ArgsPlan | Finding[] {
  const base = wish.base.filter((arg) => !isOmitted(arg, wish.omit)).map((arg) => judge(arg, wish));
  const extra = wish.extra.map((arg) => judge(arg, { ...wish, from: 'user' }));
  const judged = [...base, ...extra];
  const findings = judged.flatMap(({ finding }) => (finding === undefined ? [] : [finding]));
  if (findings.length > 0) return findings;
  const omitted = wish.base.filter((arg) => isOmitted(arg, wish.omit));
  const placed = wish.modules.filter((source) => judged.some(({ module }) => module === source));
  return {
    args: judged.flatMap(({ became }) => (became === null ? [] : [became])),
    changes: [
      ...omitted.map((arg) => ({ arg, became: null, why: '`omit-configure-args`' })),
      ...base.filter(({ arg, became }) => arg !== became).map(({ arg, became, why }) => ({ arg, became, why })),
      ...extra.map(({ became }) => ({ arg: '', became, why: '`extra-configure-args`' })),
    ],
    placed,
    unplaced: wish.modules.filter((source) => !placed.includes(source)),
  };
}

function isOmitted(arg: string, omit: ConfigureArgs): boolean {
  return omit.some((word) => word === arg || (!word.includes('=') && word === nameOf(arg)));
}

interface Judged extends Change {
  finding?: Finding;
  module?: ModuleSource;
}

function judge(arg: string, wish: ArgsWish): Judged {
  const [name, value] = [nameOf(arg), valueOf(arg)];
  const kept: Judged = { arg, became: arg, why: '' };
  const danger = unsafeArgument(arg, wish);
  if (danger !== undefined) return { ...kept, finding: unsafe(arg, { danger, from: wish.from }) };
  if (value === undefined) return kept;
  if (/^--add-(?:dynamic-)?module$/.test(name)) return judgeModule(arg, wish);
  if (name === '--builddir') return { arg, became: null, why: 'a directory of the machine that built it' };
  if (/^--with-(?:openssl|pcre|zlib|libatomic)$/.test(name))
    return { ...kept, finding: bundledLibrary(arg, wish.from) };
  if (/^--with-(?:cc|cpp|perl)$/.test(name) && value.startsWith('/') && !wish.exists(programIn(value))) {
    return { ...kept, finding: notHere(arg, { path: programIn(value), from: wish.from }) };
  }
  const specs = name === '--with-cc-opt' || name === '--with-ld-opt' ? missingSpecs(value, wish.exists) : undefined;
  return specs === undefined ? kept : { ...kept, finding: notHere(arg, { path: specs, from: wish.from }) };
}

function judgeModule(arg: string, { modules, from }: ArgsWish): Judged {
  const path = valueOf(arg) ?? '';
  const source = sourceFor(path, modules);
  if (source === undefined) return { arg, became: arg, why: '', finding: sourceMissing(arg, from) };
  const became = `${nameOf(arg)}=${placeOf(source)}`;
  return { arg, became, why: `its sources come from \`add-modules\`: ${source.name}`, module: source };
}

/** By the whole path, by its last part, or by what is characteristic of both names. */
function sourceFor(path: string, modules: readonly ModuleSource[]): ModuleSource | undefined {
  const last = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const exact = modules.find(({ name }) => name === path || name === last);
  return exact ?? modules.find(({ name }) => moduleCore(name) !== '' && moduleCore(name) === moduleCore(last));
}

/** A compiler may come with options. */
function programIn(command: string): string {
  return command.split(' ', 1)[0] ?? '';
}

/** Distributions keep their hardening in files that come with a package of theirs. */
function missingSpecs(options: string, exists: (path: string) => boolean): string | undefined {
  return [...options.matchAll(/-specs=(\/\S+)/g)].map(([, path = '']) => path).find((path) => !exists(path));
}

function sourceMissing(arg: string, from: From): Finding {
  const last = (valueOf(arg) ?? '').replace(/\/+$/, '').split('/').at(-1) ?? '';
  const name = moduleCore(last) || last || 'name';
  return {
    code: 'module-source-missing',
    message: `${subject(from)} ${arg}; such a directory belongs to one machine, and \`add-modules\` names no sources for it`,
    fix: `Say where they are: \`add-modules: ${name}=/path/to/sources\`; or leave the module out: \`omit-configure-args: ${arg}\`.`,
  };
}

function subject(from: From): string {
  return from === 'user' ? 'the arguments have' : 'the running nginx was built with';
}

function unsafe(arg: string, { danger, from }: { danger: string; from: From }): Finding {
  return {
    code: 'argument-unsafe',
    message: `${subject(from)} ${arg}: ${danger}`,
    fix:
      from === 'user'
        ? 'Correct it, or leave it out.'
        : `Leave it out (\`omit-configure-args: ${nameOf(arg)}\`), or say it yourself with \`extra-configure-args\`.`,
  };
}

function bundledLibrary(arg: string, from: From): Finding {
  return {
    code: 'build-path',
    message: `${subject(from)} ${arg}: sources of a library in a directory of one machine`,
    fix: `Build against this machine's library instead: \`omit-configure-args: ${nameOf(arg)}\`.`,
  };
}

function notHere(arg: string, { path, from }: { path: string; from: From }): Finding {
  return {
    code: 'build-path',
    message: `${subject(from)} ${arg}, and this machine has no ${path}`,
    fix: `Install what holds it (on RHEL and Fedora redhat-rpm-config), build on the distribution of the host, or leave it out: \`omit-configure-args: ${nameOf(arg)}\`.`,
  };
}
