/** A run that was told to end leaves within this time; runners kill after 7.5 and 2.5 seconds more. */
const LEAVE_WITHIN_MS = 6_000;

/** Aborted by the first SIGINT or SIGTERM; a run that has not left six seconds later is ended. */
export function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  const cancel = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    controller.abort(signal);
    setTimeout(() => {
      process.stderr.write('Cancelled. The targets\' guards go back to the old version on their own; run "status".\n');
      process.exit(1);
    }, LEAVE_WITHIN_MS).unref();
  };
  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  return controller.signal;
}
