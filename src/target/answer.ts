/** What the helper answered to one request, before anyone has looked at the verb's own fields. */
export interface Answer {
  id: number;
  verb: string;
  ok: boolean;
  /** One of the contract's reasons, or `decided`, `locked`, `rebooted`, `sudo-denied`; only where `ok` is false. */
  reason: string;
  message: string;
  fields: Record<string, unknown>;
}

export type HelperRecord =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'event'; id: number; event: string }
  /** Our own marker, and behind it no record: nothing else will come. */
  | { kind: 'garbled'; line: string };

const VERSION = 1;

/** One line of the helper's output; undefined where it is not ours: a banner, a login script's chatter, a cut line. */
export function parseRecord(line: string, marker: string): HelperRecord | undefined {
  // A prompt or a profile may have written something without a newline before it.
  const start = line.indexOf(`@${marker} {`);
  if (start < 0) return undefined;
  const garbled = { kind: 'garbled' as const, line: line.slice(start, start + 300) };
  const parsed = parseObject(line.slice(start + marker.length + 2));
  if (parsed === undefined || parsed['v'] !== VERSION) return garbled;
  const { id, verb, ok, event, reason, message } = parsed;
  if (typeof id !== 'number') return garbled;
  if (typeof event === 'string') return { kind: 'event', id, event };
  if (typeof verb !== 'string' || typeof ok !== 'boolean') return garbled;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { kind: 'answer', answer: { id, verb, ok, reason: text(reason), message: text(message), fields: parsed } };
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Typed reading of one record's fields; a field that is missing or of another type is named in the error. */
export function fieldsOf(record: Record<string, unknown>, what: string) {
  const wrong = (name: string, expected: string): never => {
    throw new TypeError(
      `${what}: expected ${name} to be ${expected}, found ${JSON.stringify(record[name])?.slice(0, 80)}`,
    );
  };
  return {
    text(name: string): string {
      const value = record[name];
      return typeof value === 'string' ? value : wrong(name, 'text');
    },
    textOrNull(name: string): string | null {
      const value = record[name] ?? null;
      return value === null || typeof value === 'string' ? value : wrong(name, 'text or null');
    },
    number(name: string): number {
      const value = record[name];
      return typeof value === 'number' ? value : wrong(name, 'a number');
    },
    numberOrNull(name: string): number | null {
      const value = record[name] ?? null;
      return value === null || typeof value === 'number' ? value : wrong(name, 'a number or null');
    },
    flag(name: string): boolean {
      const value = record[name];
      return typeof value === 'boolean' ? value : wrong(name, 'true or false');
    },
    lines(name: string): string[] {
      const value = record[name] ?? [];
      return Array.isArray(value) && value.every((line) => typeof line === 'string') ? value : wrong(name, 'lines');
    },
    object(name: string): Record<string, unknown> | null {
      const value = record[name] ?? null;
      return value === null || isObject(value) ? value : wrong(name, 'an object or null');
    },
    objects(name: string): Record<string, unknown>[] {
      const value = record[name] ?? [];
      return Array.isArray(value) && value.every(isObject) ? value : wrong(name, 'objects');
    },
  };
}
