/** Items separated by newlines or commas; empty ones and comment lines (`#`) are left out. */
export function splitList(text: string): string[] {
  return splitLines(text)
    .flatMap((line) => line.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Trimmed lines; empty ones and comment lines (`#`) are left out. */
export function splitLines(text: string): string[] {
  return numberedLines(text).map(({ line }) => line);
}

/** As `splitLines`, with the line's number in the text, from 1. */
export function numberedLines(text: string): { line: string; number: number }[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
}
