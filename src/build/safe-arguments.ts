import { nameOf, valueOf } from '../nginx/configure-args.ts';

/**
 * Why an argument must not be given to `configure`, as a clause; undefined where it may. configure puts what it is given
 * into shell commands and makefiles (auto/feature, auto/make). Whose word it is matters: a user may choose compilers and
 * their options, a target only says what it was built with, and runs nothing here.
 */
export function unsafeArgument(arg: string, { from }: { from: 'user' | 'target' }): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/[$`\u0000-\u001f\u007f]/.test(arg)) return 'a shell or make would read more into it than a word';
  const [name, value] = [nameOf(arg), valueOf(arg) ?? ''];
  const options = /^--with-[a-z0-9]+-opt$/.test(name);
  if (options && /[;|&<>()]/.test(value)) return 'configure passes it to a shell, which would run more than a compiler';
  if (from === 'user') return undefined;
  if (/^--with-(?:cc|cpp|perl)$/.test(name) && !TOOL.test(value)) return 'it is no compiler or perl by its name';
  const odd = options ? value.split(/\s+/).find((word) => word !== '' && !isHarmless(word)) : undefined;
  return odd === undefined ? undefined : `${odd} makes a compiler do other things than compile`;
}

const TOOL = /^(?:\/[\w.+/-]*\/)?(?:[\w.]+-linux-\w+-)?(?:cc|gcc|g\+\+|c\+\+|clang|clang\+\+|cpp|perl)(?:-?[\d.]+)?$/;

/** Options of gcc and clang that choose what is generated, and nothing that is run or written besides. */
const HARMLESS = [
  /^-(?:[gOsmDUIlLz]|w$|pipe$|pie$|no-pie$|pthread$|rdynamic$|static|shared|std=|specs=|isystem$|nostd)/,
  /^-f(?!plugin|dump|save|callgraph|auto-profile)/,
  /^-W(?![lpa],)/,
  /^-Wp,-[DU]/,
  /^-Wa,--(?:noexecstack|execstack)$/,
  /^--param=/,
  /^[^-@]/,
];
const LINKER = /^-Wl,(?!.*(?:-o\b|--output|Map|plugin|dependency-file|@))/;

function isHarmless(word: string): boolean {
  return LINKER.test(word) || HARMLESS.some((pattern) => pattern.test(word));
}
