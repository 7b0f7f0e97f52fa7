/** The name that was most likely meant, or undefined where none is near enough to be helpful. */
export function nearest(given: string, names: Iterable<string>): string | undefined {
  if (given.length > 60) return undefined;
  const wanted = plain(given);
  const limit = Math.max(1, Math.min(3, Math.floor(wanted.length / 3)));
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(wanted, plain(name));
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** ` Did you mean "x"?`, or nothing. */
export function suggestion(given: string, names: Iterable<string>): string {
  const name = nearest(given, names);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_]/g, '-');
}

/** Insertions, deletions, replacements and swapped neighbours. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      const replaced = at(last, column - 1) + (same ? 0 : 1);
      const shorter = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1);
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(swapped ? Math.min(shorter, at(beforeLast, column - 2) + 1) : shorter);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
