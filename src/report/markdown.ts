import { clip, harmless } from './relay.ts';

/** Long enough for any message of ours; an error-log line pasted into one may be endless. */
const TEXT_BYTES = 1_000;

/** `text` as one line of markdown that shows exactly these characters, whatever they are and wherever it stands. */
export function plain(text: string): string {
  return entities(clip(harmless(text).trim(), TEXT_BYTES))
    .replace(/[\\`*_[\]|~]/g, String.raw`\$&`)
    .replace(/^(?:[#+=-]|\d+(?=[.)](?:\s|$)))/, (marker) => (/\d/.test(marker) ? `${marker}\\` : `\\${marker}`));
}

/** As `plain`, but what stands between backticks becomes code. */
export function prose(text: string): string {
  return plain(text).replace(/\\`([^`]*?)\\`/g, '<code>$1</code>');
}

/** `text` as code; safe inside a table cell. */
export function code(text: string): string {
  return `<code>${plain(text)}</code>`;
}

/** Lines shown as they are, in at most `maxBytes` of markup. */
export function preformatted(lines: readonly string[], maxBytes: number): string {
  return `<pre>\n${fit(lines, { render: literal, maxBytes, separator: '\n', rest: '… # more lines' })}\n</pre>`;
}

export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Folded. The blank lines let GitHub read `body` as markdown again. */
export function details(summary: string, body: string): string {
  return `<details><summary>${entities(harmless(summary))}</summary>\n\n${body}\n\n</details>`;
}

export interface Fitting<T> {
  /** An empty string leaves the item out. Called only for what may still fit. */
  render: (item: T) => string;
  maxBytes: number;
  separator: string;
  /** Closes a list that was cut; `#` becomes the number of items left out. */
  rest: string;
}

/** As many items as fit into `maxBytes`, whole. */
export function fit<T>(items: readonly T[], { render, maxBytes, separator, rest }: Fitting<T>): string {
  const kept: string[] = [];
  let size = Buffer.byteLength(rest) + 10;
  for (const [index, item] of items.entries()) {
    const part = render(item);
    if (part === '') continue;
    size += Buffer.byteLength(part) + separator.length;
    if (size > maxBytes) return [...kept, rest.replace('#', `${items.length - index}`)].join(separator);
    kept.push(part);
  }
  return kept.join(separator);
}

function literal(line: string): string {
  return entities(clip(harmless(line), TEXT_BYTES));
}

/** `$` too: GitHub looks for formulas before it reads markdown. */
function entities(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('$', '&#36;');
}
