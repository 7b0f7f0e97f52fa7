import { DialError } from '../connection/port.ts';
import { messageOf } from '../errors.ts';
import { BODY_LIMIT } from './answer.ts';
import type { Failure } from './answer.ts';
import type { Millis } from '../config.ts';

export type Stage = 'dial' | 'tls' | 'http';

export interface Circumstances {
  stage: Stage;
  /** What ended the probe before it ended by itself. */
  ended: 'deadline' | 'stopped' | undefined;
  /** The link to the target is gone. */
  lost: boolean;
  timeout: Millis;
}

const DOING: Record<Stage, string> = {
  dial: 'while connecting',
  tls: 'in the TLS handshake',
  http: 'while waiting for the whole answer',
};

/** Codes of the runner's own network. A connect time-out or reset may be the service's doing and is not among them. */
const OWN_NETWORK = new Set([
  'EADDRNOTAVAIL',
  'EACCES',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOTFOUND',
  'EPERM',
]);

/** Whose fault an error was: the service's, or one that says nothing about it. */
export function failureOf(error: unknown, at: Circumstances): Failure {
  if (at.lost) return inconclusive('lost', `the link to the target was lost ${DOING[at.stage]}`);
  if (at.ended === 'stopped') return inconclusive('stopped', `stopped ${DOING[at.stage]}`);
  if (at.ended === 'deadline') {
    return { kind: 'timeout', message: `no full answer within ${at.timeout} ms; time ran out ${DOING[at.stage]}` };
  }
  if (error instanceof DialError || at.stage === 'dial') return dialFailure(error);
  return at.stage === 'tls' ? tlsFailure(error) : httpFailure(error);
}

function dialFailure(error: unknown): Failure {
  if (error instanceof DialError) {
    if (error.kind === 'refused') return { kind: 'refused', message: error.message };
    if (error.kind === 'lost') return inconclusive('lost', error.message);
    return inconclusive('denied', `forwarding-denied: ${error.message}; health-from: runner probes without it`);
  }
  const code = codeOf(error);
  const message = describe(error);
  if (OWN_NETWORK.has(code)) return inconclusive('network', `the runner could not connect: ${message}`);
  if (code === 'ETIMEDOUT') return { kind: 'timeout', message };
  return { kind: 'refused', message };
}

function tlsFailure(error: unknown): Failure {
  return { kind: 'tls', message: `no trusted TLS connection: ${describe(error)}` };
}

function httpFailure(error: unknown): Failure {
  const code = codeOf(error);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return { kind: 'too-large', message: `the body is larger than ${BODY_LIMIT} bytes; probe a smaller page` };
  }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return inconclusive('request', `this request cannot be sent: ${messageOf(error)}`);
  }
  if (code.startsWith('ERR_SSL_')) return tlsFailure(error);
  return { kind: 'protocol', message: `no complete HTTP answer: ${describe(error)}` };
}

function inconclusive(cause: Extract<Failure, { kind: 'inconclusive' }>['cause'], message: string): Failure {
  return { kind: 'inconclusive', cause, message };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** An error that tried several addresses has an empty message of its own. */
function describe(error: unknown): string {
  const text =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map((each: unknown) => messageOf(each)).join('; ')
      : messageOf(error);
  const code = codeOf(error);
  return code === '' || text.includes(code) ? text : `${text} (${code})`;
}
