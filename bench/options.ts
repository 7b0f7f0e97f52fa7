/** What the command line of the benchmark asked for; undefined where it did not. */
export interface BenchOptions {
  count: number | undefined;
  /** Requests a second. */
  rate: number | undefined;
}
