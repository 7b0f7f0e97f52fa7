/** Two ways to do one thing; each does it once and resolves to the milliseconds that it took. */
export interface Contenders {
  ours: () => Promise<number>;
  theirs: () => Promise<number>;
}

/** Milliseconds of one pair. */
export interface Pair {
  ours: number;
  theirs: number;
}

/**
 * Runs both in turn, once each to warm up and then `pairs` times, in the order A B B A: so a drift of the machine hits
 * both alike. `then` is told about each pair as it comes.
 */
export async function contest(
  pairs: number,
  { ours, theirs }: Contenders,
  then: (pair: Pair) => void,
): Promise<Pair[]> {
  await ours();
  await theirs();
  const all: Pair[] = [];
  while (all.length < pairs) {
    const pair = { ours: 0, theirs: 0 };
    const order = [async () => (pair.ours = await ours()), async () => (pair.theirs = await theirs())];
    for (const turn of all.length % 2 === 0 ? order : order.toReversed()) await turn();
    all.push(pair);
    then(pair);
  }
  return all;
}

/** The lines that sum a contest up: medians, and the median of the ratios of the pairs with its quartiles. */
export function summary(pairs: Pair[], names: { what: string; ours: string; theirs: string }): string[] {
  const medians = {
    ours: quantile(pairs.map(({ ours }) => ours)),
    theirs: quantile(pairs.map(({ theirs }) => theirs)),
  };
  const ratios = pairs.map(ratio);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
  return [
    `  median    ${line(medians)}`,
    `${names.what} ratio (${names.ours} : ${names.theirs}): ${middle} (median of ${pairs.length} pairs; quartiles ${low}–${high})`,
  ];
}

/** One row of the table. */
export function line(pair: Pair): string {
  return `${ms(pair.ours)} ${ms(pair.theirs)} ${ratio(pair).toFixed(2).padStart(7)}`;
}

export function heading(ours: string, theirs: string): string {
  return `            ${ours.padStart(9)} ${theirs.padStart(9)}   ratio`;
}

/** Once to warm up, then `times` times. Milliseconds. */
export async function repeat(times: number, measure: () => Promise<number>): Promise<number[]> {
  await measure();
  const all: number[] = [];
  while (all.length < times) all.push(await measure());
  return all;
}

/** The value below which `share` of all lie; the median where no share is given. */
export function quantile(values: number[], share = 0.5): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return below + (above - below) * (at % 1);
}

function ratio({ ours, theirs }: Pair): number {
  return ours / theirs;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`.padStart(9);
}
