/** Texts that a CI runner would obey if they reached its log as they are. */
export const HOSTILE: Record<string, string> = {
  'a command at the start of the line': '::set-output name=version::6.6.6',
  'a command behind white space': ' \t\u00A0::add-mask::nginx',
  'a command behind a lone CR': 'progress 10%\r::set-output name=outcome::upgraded',
  'a command behind a vertical tab': '\u000B::error::x',
  'the old form in the middle of a line': 'nginx: ##[group]hidden',
  'the old form behind three signs': '###[error]forged',
  'the old form split by a colour': '#\u001B[31m#[error]forged',
  'the old form split by a soft hyphen': '#\u00AD#[error]forged',
  'the old form split by a zero-width space': 'x ##\u200B[add-path]/tmp',
  'the old form split by a bidi control': '#\u202E#[error]forged',
  'the old form split by a NUL': '#\0#[error]forged',
  'a command split by a C1 control': ':\u0084:debug::x',
  'a command behind a byte order mark': '\uFEFF::warning::x',
  'a command behind an escape sequence': '\u001B[2K::stop-commands::pwned',
  'a command behind an unfinished title': '\u001B]0;::set-output name=a::b',
  'a command in the second line of CRLF text': 'ok\r\n::set-output name=a::b',
  'a command behind a line separator': '\u2028::error::x',
};

/**
 * The runner's own rules, on the cautious side: it compares by culture, so what has no weight is not there; and escape
 * sequences are gone, as in a log that strips them.
 */
export function obeyedByRunner(text: string): boolean {
  return text
    .replaceAll('\u001B[31m', '')
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]|[^\P{Cc}\s]/gu, '')
    .replace(/^(?:\[2K|\]0;)/, '')
    .split(/\r\n|[\r\n]/)
    .some((line) => line.trimStart().startsWith('::') || line.includes('##['));
}
