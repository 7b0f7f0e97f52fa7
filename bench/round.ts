import type { Outcome, RunReport } from '../src/report/result.ts';
import { quick, type Product } from '../test/support/product.ts';

/** Milliseconds since the epoch. */
export interface Span {
  from: number;
  to: number;
}

export interface Site {
  product: Product;
  /** The new version; the old one serves before and after. */
  binary: string;
  /** As the target sees itself. */
  healthUrl: string;
}

/** Who serves changes so many times in a round. */
export const SWITCHES_A_ROUND = 4;

/**
 * Up for good and back by another hot upgrade, up but held and back to the parked master. Resolves to the spans in which
 * two generations were there. Throws, with the program's output, where a run does not end as it should.
 */
export async function round({ product, binary, healthUrl }: Site): Promise<Span[]> {
  const soon = { 'health-url': healthUrl, 'health-successes': '1', 'bake-time': '0s' };
  const upgrade = ['--binary', binary, ...quick(soon)];
  const spans: Span[] = [];
  const change = async (outcome: Outcome, command: string, ...words: string[]): Promise<void> => {
    const { code, output, report, host } = await product.run(command, ...words);
    if (code !== 0 || host.outcome !== outcome) throw new Error(`expected "${command}" to end ${outcome}:\n${output}`);
    spans.push(spanOf(report));
  };
  await change('upgraded', 'upgrade', ...upgrade);
  await change('rolled-back', 'rollback', '--bake-time', '0s');
  await change('held', 'upgrade', ...upgrade, '--auto-commit', 'false');
  await change('rolled-back', 'rollback');
  return spans;
}

/** From a second before the first change on the target to a second after the last: USR2 and the old master's end lie within. */
function spanOf(report: RunReport): Span {
  const changes = report.hosts
    .flatMap(({ phases }) => phases)
    .filter(({ name }) => ['swap', 'ready', 'retire', 'bake', 'commit', 'rollback'].includes(name));
  const starts = changes.map(({ at }) => Date.parse(at));
  const ends = changes.map(({ at, ms }) => Date.parse(at) + ms);
  return { from: Math.min(...starts) - 1_000, to: Math.max(...ends) + 1_000 };
}

/** Milliseconds that lie in at least one of the spans and within `limits`. */
export function covered(spans: Span[], limits: Span): number {
  let total = 0;
  let counted = limits.from;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const end = Math.min(to, limits.to);
    total += Math.max(0, end - Math.max(from, counted));
    counted = Math.max(counted, end);
  }
  return total;
}
