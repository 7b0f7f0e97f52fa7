import type { Duplex } from 'node:stream';
import type { Millis } from '../config.ts';

/** One URL as one fresh connection sees it. */
export interface ProbeTarget {
  url: URL;
  /** In the given order; `Host` also sets SNI and the name that the certificate is checked for. */
  headers: [name: string, value: string][];
  /** PEM of the authority; without it the system's authorities count. */
  ca?: string;
  /** For everything together: dialling, TLS, headers and body. */
  timeout: Millis;
  /** Opens the stream where the probe starts on the target; without it the runner connects by itself. */
  dial?: () => Promise<Duplex>;
  /** Aborted when the link that `dial` uses is gone: then nothing may be concluded about the service. */
  lost?: AbortSignal;
}

/**
 * `denied`: the SSH server forbids forwarding. `lost`: the link to the target is gone. `network`: the runner's own name
 * service or network. `stopped`: the caller gave up. `request`: the settings make a request that cannot be sent.
 */
export type InconclusiveCause = 'denied' | 'lost' | 'network' | 'stopped' | 'request';

/** All but `answer` and `inconclusive` are the service's fault. */
export type Failure =
  | { kind: 'refused' | 'timeout' | 'tls' | 'protocol' | 'too-large'; message: string }
  | { kind: 'inconclusive'; cause: InconclusiveCause; message: string };

/** `ms`: from the start of dialling to the last byte or the failure. `body`: as sent, never inflated, at most 1 MiB. */
export type ProbeAnswer = ({ kind: 'answer'; status: number; body: Buffer } | Failure) & { ms: Millis };

export const BODY_LIMIT = 1024 * 1024;
