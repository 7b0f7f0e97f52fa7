import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * A place where commands run: this machine, or a host behind SSH. Nothing outside `connection/` can tell which.
 *
 * A lost link is a state of its own: `lost` fires once, every open channel then ends as `{kind: 'lost'}`, and neither
 * success nor failure may be concluded from it.
 */
export interface Connection {
  /** Starts `command` through the login's shell. Rejects with UpgradeError (`connection-lost`, `internal`). */
  start(command: string): Promise<Channel>;
  /** Opens one fresh TCP connection as the target itself would. Rejects with DialError. */
  dial(to: { host: string; port: number }): Promise<Duplex>;
  /** Aborted when the link is gone, with the cause as its reason; never aborted by `close()`. */
  readonly lost: AbortSignal;
  /** One-way estimate of the link in milliseconds (TCP connect time); 0 for `local`. Decides about compression. */
  readonly roundTripMs: number;
  /** Idempotent; leaves no socket, timer or child process behind. */
  close(): void;
}

/** One running command. All three streams are bytes; both output streams must be read or resumed by the caller. */
export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  /** Gives up on the command: closes the channel (SSH) or kills the process (local). */
  abort(): void;
}

export type Ended =
  { kind: 'exit'; code: number } | { kind: 'signal'; signal: string } | { kind: 'lost'; cause: string };

/**
 * `refused`: nothing listens there (the service's fault). `denied`: the SSH server does not allow forwarding.
 * `lost`: our own link is gone (says nothing about the service).
 */
export class DialError extends Error {
  override readonly name = 'DialError';
  readonly kind: 'refused' | 'denied' | 'lost';

  constructor(kind: DialError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
