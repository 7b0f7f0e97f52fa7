/** Returns its argument with every secret in it replaced by `***`. */
export type Mask = (text: string) => string;

interface Span {
  start: number;
  end: number;
}

/**
 * `forms` is every spelling under which a secret may turn up (the inputs parser lists them: each line, JSON-escaped,
 * URL-encoded, base64). Empty forms are ignored.
 */
export function createMask(forms: Iterable<string>): Mask {
  const known = [...new Set(forms)].filter((form) => form !== '').sort((a, b) => b.length - a.length);
  return (text) => replaceSpans(text, overlapping(known.flatMap((form) => spansOf(form, text))));
}

/** A copy of plain data (a report) with every string in it masked. */
export function maskAll<T>(value: T, mask: Mask): T {
  return JSON.parse(JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? mask(item) : item)));
}

function spansOf(form: string, text: string): Span[] {
  const spans: Span[] = [];
  // One character on, not one form on: "aa" lies twice in "aaa", and its last character is secret too.
  for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
    const last = spans.at(-1);
    if (last !== undefined && start < last.end) last.end = start + form.length;
    else spans.push({ start, end: start + form.length });
  }
  return spans;
}

/** Two secrets may overlap: replacing the first would leave the rest of the second readable. */
function overlapping(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last !== undefined && span.start < last.end) last.end = Math.max(last.end, span.end);
    else merged.push({ ...span });
  }
  return merged;
}

function replaceSpans(text: string, spans: Span[]): string {
  let end = 0;
  let out = '';
  for (const span of spans) {
    out += `${text.slice(end, span.start)}***`;
    end = span.end;
  }
  return out + text.slice(end);
}
