/** Where a run tells people what it does. Implementations mask secrets and neutralise workflow commands. */
export interface Logger {
  info(message: string): void;
  /** A line of another program's output: only where a log can be folded. */
  detail(message: string): void;
  warning(message: string): void;
  /** Everything said inside `body` is folded under `title` where the log can fold. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
}
