const LONGEST = 80;

/** Everything that a terminal or a log viewer would not show as itself. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * A value as it may stand in a message: quoted, on one line, at most 80 characters, nothing invisible, no credentials of
 * a URL, no private key, no workflow command.
 */
export function show(value: string): string {
  if (value.includes('PRIVATE KEY')) return '(a private key, not shown)';
  const safe = value.split('\n').map(hideCredentials).join('\n');
  let shown = '';
  for (const character of safe) {
    const next = escape(character);
    if (shown.length + next.length > LONGEST) return `"${breakCommand(shown)}…"`;
    shown += next;
  }
  return `"${breakCommand(shown)}"`;
}

/** A name that somebody made up, as it may stand at the start of a line. */
export function label(name: string): string {
  return /^[\w.-]{1,80}$/.test(name) ? name : show(name);
}

/** True where the text holds a character that cannot be seen: control, zero-width, text direction, lone surrogate. */
export function hasInvisible(text: string): boolean {
  return INVISIBLE.test(text);
}

// No pattern: on a megabyte without "@" it would search for minutes.
function hideCredentials(line: string): string {
  const end = line.lastIndexOf('@');
  const scheme = line.indexOf('://');
  const start = scheme >= 0 && scheme < end ? scheme + 3 : 0;
  // A name before the host is no secret where people log in with it; in any other URL it may be a token.
  const login = start === 0 || /^(?:.*[^a-z])?ssh:\/\/$/i.test(line.slice(0, start));
  if (end < 0 || (login && !line.slice(start, end).includes(':'))) return line;
  // Behind the first slash, "@" is a letter like others.
  if (
    start > 0 &&
    URL.canParse(line.slice(line.lastIndexOf('=', scheme) + 1)) &&
    /[/?#]/.test(line.slice(start, end))
  ) {
    const authority = line.slice(start).split(/[/?#]/, 1)[0] ?? '';
    const at = authority.lastIndexOf('@');
    return at < 0 ? line : `${line.slice(0, start)}***${line.slice(start + at)}`;
  }
  return `${line.slice(0, start)}***${line.slice(end)}`;
}

function escape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  if (!INVISIBLE.test(character)) return character;
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;
}

// The runner obeys "##[command]" anywhere in a line.
function breakCommand(text: string): string {
  return text.replaceAll('##[', String.raw`#\u{23}[`);
}
