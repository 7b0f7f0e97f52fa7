import { nameOf, valueOf } from '../nginx/configure-args.ts';

/**
 * Why an argument must not be given to `configure`, as a clause; undefined where it may. configure puts what it is given
 * into shell commands and makefiles (auto/feature, auto/make, auto/install). Whose word it is matters: a user may choose
 * compilers and their options, a target only says what it was built with, and runs nothing here.
 */
export function unsafeArgument(arg: string, { from }: { from: 'user' | 'target' }): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/[$`\u0000-\u001f\u007f]/.test(arg)) return 'a shell or make would read more into it than a word';
  // auto/configure writes all of them as they are into the text that `-V` prints: into a C string.
  if (/["\\]/.test(arg)) return 'quotes and backslashes end up in the source of nginx, and change it';
  const [name, value] = [nameOf(arg), valueOf(arg) ?? ''];
  const options = /^--with-[a-z0-9]+-opt$/.test(name);
  if (options && /[;|&<>()]/.test(value)) return 'configure passes it to a shell, which would run more than a compiler';
  if (from === 'user') return undefined;
  if (arg.includes("'")) return 'a shell takes quotes off, and what stands in them is something else then';
  if (!/^--[\w-]+$/.test(name)) return 'it has the name of no argument';
  if (TOOLS[name]?.test(value) === false) return 'it is no compiler or perl by its name, in a directory of the system';
  if (/^--with-(?:cc|ld)-opt$/.test(name)) return oddOption(value);
  // The manual is made by sed, directories by dirname, perl's makefile by a shell: all of them from these values.
  return TOOLS[name] !== undefined || name === '--build' || PLAIN.test(options ? value.replaceAll(' ', '') : value)
    ? undefined
    : 'configure would make more of it than a name or a path';
}

/** What paths, names of users and `Linux::x86_64` are made of. */
const PLAIN = /^[\w./:@+=,~-]*$/;

/** Where only root puts programs: a target must not choose what runs here by its place either. */
const SYSTEM_BIN = String.raw`(?:/(?:usr/(?:local/)?)?bin/)?`;
const TOOLS: Record<string, RegExp> = {
  '--with-cc': new RegExp(`^${SYSTEM_BIN}(?:[\\w.]+-linux-\\w+-)?(?:cc|gcc|clang)(?:-?[\\d.]+)?$`),
  '--with-cpp': new RegExp(`^${SYSTEM_BIN}(?:[\\w.]+-linux-\\w+-)?cpp(?:-?[\\d.]+)?$`),
  '--with-perl': new RegExp(`^${SYSTEM_BIN}perl(?:-?[\\d.]+)?$`),
};

/** Where only root puts headers and libraries. */
const SYSTEM_PATH = /^\/(?:usr\/(?:local\/)?)?(?:include|lib|lib32|lib64|libx32)(?:\/[\w.+-]+)*\/?$/;

function isSystemPath(path: string): boolean {
  return SYSTEM_PATH.test(path) && !path.split('/').includes('..');
}

function oddOption(value: string): string | undefined {
  const words = value.split(' ').filter((word) => word !== '');
  const odd = words.find((word, at) => !isHarmless(word) && !isPathBehind(words[at - 1], word));
  return odd === undefined
    ? undefined
    : `${odd} is not among the options and system paths that are taken from a target`;
}

function isPathBehind(option: string | undefined, word: string): boolean {
  return /^-(?:I|L|isystem)$/.test(option ?? '') && isSystemPath(word);
}

/**
 * What the linker is told, each of the words between the commas of `-Wl,` by itself, as the compiler takes them apart; `--` and names
 * in full, for it takes any beginning of a name for the name.
 */
const LINKER = new RegExp(
  `^-(?:${[
    '-(?:no-)?as-needed',
    '-no-undefined',
    '-gc-sections',
    '-sort-common',
    '-export-dynamic',
    'E',
    'O\\d',
    'Bsymbolic(?:-functions)?',
    '-hash-style=\\w+',
    '-build-id(?:=\\w+)?',
    '-(?:en|dis)able-new-dtags',
    '-exclude-libs=\\w+',
    '-compress-debug-sections=\\w+',
    '-package-metadata=[\\w%.:+-]*',
  ].join('|')})$`,
);

/** Options whose value is the next word, and what that may be. Libraries are looked for in a run path here and on the target. */
const LINKER_VALUES: [option: RegExp, isFine: (value: string) => boolean][] = [
  [/^-z$/, (value) => /^[\w-]+(?:=\w+)?$/.test(value)],
  [/^--?rpath(?:-link)?$/, isSystemPath],
  [/^--exclude-libs$/, (value) => /^\w+$/.test(value)],
];

function isForLinker([word = '', ...rest]: string[]): boolean {
  const [, path] = /^--?rpath(?:-link)?=(.*)$/.exec(word) ?? [];
  const [, isFine] = LINKER_VALUES.find(([option]) => option.test(word)) ?? [];
  const [value = '', ...others] = rest;
  if (isFine !== undefined) return isFine(value) && (others.length === 0 || isForLinker(others));
  return (path === undefined ? LINKER.test(word) : isSystemPath(path)) && (rest.length === 0 || isForLinker(rest));
}

/** Options of gcc and clang that choose what is generated, and nothing that is run, read or written besides. */
const HARMLESS = [
  /^-(?:g[a-z0-9-]*|O\w*|w|s|pipe|pie|no-pie|pthread|rdynamic|static(?:-\w+)?|shared|std=[\w+:]+|I|L|isystem)$/,
  /^-m(?:arch|tune|cpu|fpu|abi|float-abi|branch-protection)=[\w.+-]+$/,
  /^-m(?:16|32|64|x32|thumb|no-[\w-]+|sse[\w.]*|avx[\w.]*|aes|omit-leaf-frame-pointer)$/,
  /^-f(?:no-)?(?:stack-protector(?:-\w+)?|stack-clash-protection|cf-protection(?:=\w+)?|exceptions|(?:asynchronous-)?unwind-tables|omit-frame-pointer|lto(?:=\w+)?|fat-lto-objects|PIC|pic|PIE|pie|common|strict-aliasing|strict-overflow|wrapv|plt|builtin|semantic-interposition|(?:function|data|debug-types)-sections?|visibility=\w+|trivial-auto-var-init=\w+|zero-call-used-regs=\w+|debug-info-for-profiling|tree-[\w-]+)$/,
  /^-f(?:file|debug|macro)-prefix-map=[\w./+:~-]*=[\w./+:~-]*$/,
  /^-D\w+(?:=\d*)?$|^-U\w+$/,
  /^-l:?[\w.+-]+$/,
  /^-W[\w+=-]*$/,
  /^-Wp(?:,-[DU]\w+(?:=\d*)?)+$/,
  /^-Wa,--(?:no)?execstack$/,
  /^--param=[\w-]+=\d+$/,
];

/** Options whose value is read here: headers, libraries, and what a compiler reads as its own configuration. */
const READS = /^(?:-(?:I|L|isystem|specs=))?(\/[^ ]*)$/;

function isHarmless(word: string): boolean {
  const [, path] = READS.exec(word) ?? [];
  if (path !== undefined) return isSystemPath(path) && (word !== path || path.endsWith('.a'));
  if (word.startsWith('-Wl,')) return isForLinker(word.split(',').slice(1));
  return HARMLESS.some((pattern) => pattern.test(word));
}
