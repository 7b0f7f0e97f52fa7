import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DialError } from '../../../src/connection/port.ts';
import { failureOf } from '../../../src/health/failure.ts';
import type { Circumstances } from '../../../src/health/failure.ts';

const coded = (code: string, message = 'it failed'): Error => Object.assign(new Error(message), { code });

describe('failureOf', () => {
  const cases: {
    name: string;
    error: Error;
    at?: Partial<Circumstances>;
    kind: string;
    cause?: string;
    message: RegExp;
  }[] = [
    {
      name: 'puts the lost link before everything else',
      error: new DialError('refused', 'nobody there'),
      at: { lost: true, ended: 'deadline' },
      kind: 'inconclusive',
      cause: 'lost',
      message: /^the link to the target was lost while connecting$/,
    },
    {
      name: 'knows a lost link by the error of its stream, in the middle of an answer as well',
      error: new DialError('lost', 'no sign of life for 15 s'),
      at: { stage: 'http' },
      kind: 'inconclusive',
      cause: 'lost',
      message: /^no sign of life for 15 s$/,
    },
    {
      name: 'puts the deadline before the error that it caused',
      error: coded('UND_ERR_ABORTED'),
      at: { stage: 'tls', ended: 'deadline' },
      kind: 'timeout',
      message: /^no full answer within 2000 ms; time ran out in the TLS handshake$/,
    },
    {
      name: 'blames the service for a connect time-out',
      error: coded('ETIMEDOUT'),
      kind: 'timeout',
      message: /^it failed \(ETIMEDOUT\)$/,
    },
    { name: 'blames the service for a reset', error: coded('ECONNRESET'), kind: 'refused', message: /ECONNRESET/ },
    {
      name: 'blames nobody where the runner has no route',
      error: coded('ENETUNREACH'),
      kind: 'inconclusive',
      cause: 'network',
      message: /^the runner could not connect: it failed \(ENETUNREACH\)$/,
    },
    {
      name: 'tells all addresses that were tried',
      error: Object.assign(new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]), {
        code: 'ECONNREFUSED',
      }),
      kind: 'refused',
      message: /^::1 refused; 127\.0\.0\.1 refused \(ECONNREFUSED\)$/,
    },
    {
      name: 'calls an alert that comes after the handshake a TLS failure',
      error: coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate required'),
      at: { stage: 'http' },
      kind: 'tls',
      message: /^no trusted TLS connection: certificate required/,
    },
  ];
  for (const { name, error, at, kind, cause, message } of cases) {
    test(name, () => {
      const failure = failureOf(error, { stage: 'dial', ended: undefined, lost: false, timeout: 2000, ...at });
      assert.deepEqual([failure.kind, 'cause' in failure ? failure.cause : undefined], [kind, cause]);
      assert.match(failure.message, message);
    });
  }
});
