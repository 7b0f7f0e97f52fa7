/** What a validator made of one value: the value with remarks worth a warning, or everything that is wrong with it. */
export type Checked<T> = Good<T> | Bad;

export interface Good<T> {
  ok: true;
  value: T;
  notes: string[];
}

export interface Bad {
  ok: false;
  problems: string[];
}

/** Reads one value, already trimmed and never empty. Messages never hold a secret; values in them went through `show`. */
export type Parser<T> = (text: string) => Checked<T>;

export function good<T>(value: T, notes: string[] = []): Good<T> {
  return { ok: true, value, notes };
}

export function bad(...problems: string[]): Bad {
  return { ok: false, problems };
}

/** Reads every item and gathers all problems, not only the first. */
export function all<I, T>(items: I[], parse: (item: I) => Checked<T>): Checked<T[]> {
  const checked = items.map((item) => parse(item));
  const problems = problemsOf(checked);
  if (problems.length > 0) return bad(...problems);
  const fine = checked.filter((one) => one.ok);
  return good(
    fine.map((one) => one.value),
    fine.flatMap((one) => one.notes),
  );
}

export function problemsOf(checked: readonly Checked<unknown>[]): string[] {
  return checked.flatMap((one) => (one.ok ? [] : one.problems));
}

/** Goes on with a good value; a bad one stays as it is. */
export function andThen<T, U>(checked: Checked<T>, next: (value: T) => Checked<U>): Checked<U> {
  if (!checked.ok) return checked;
  const after = next(checked.value);
  return after.ok ? good(after.value, [...checked.notes, ...after.notes]) : after;
}
