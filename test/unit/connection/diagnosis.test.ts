import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose } from '../../../src/connection/diagnosis.ts';
import type { Observed } from '../../../src/connection/diagnosis.ts';
import { networkFault } from '../../../src/connection/socket.ts';

describe('networkFault', () => {
  const cases: [code: string, finding: RegExp, transient: boolean][] = [
    ['ECONNREFUSED', /refused/, true],
    ['ECONNRESET', /reset/, true],
    ['ETIMEDOUT', /no answer at all/, true],
    ['EHOSTUNREACH', /no route to that host/, true],
    ['ENETUNREACH', /no route to that network/, true],
    ['EAI_AGAIN', /DNS gave no answer/, true],
    ['ENOTFOUND', /no address \(DNS\)/, false],
    ['EACCES', /^what the system said$/, false],
  ];
  for (const [code, finding, transient] of cases) {
    it(`puts ${code} into words and knows whether to try again`, () => {
      const fault = networkFault(coded(code));
      assert.match(fault.finding, finding);
      assert.equal(fault.transient, transient);
    });
  }

  it('takes the first cause where several addresses failed', () => {
    const error = new AggregateError([coded('EHOSTUNREACH'), coded('ECONNREFUSED')]);
    assert.match(networkFault(error).finding, /no route to that host/);
  });
});

describe('diagnose', () => {
  const cases: [name: string, seen: Partial<Observed>, reason: string, sentence: RegExp, transient: boolean][] = [
    [
      'a verdict before all else',
      { objection: 'not the one on record', error: coded('ECONNRESET') },
      'host-key',
      /^not the one on record$/,
      false,
    ],
    ['a reset while keys are exchanged', { error: coded('ECONNRESET') }, 'unreachable', /was reset/, true],
    ['a reset while logging in', { error: coded('ECONNRESET'), handshakeDone: true }, 'unreachable', /was reset/, true],
    [
      'a silent server',
      { error: levelled('client-timeout') },
      'unreachable',
      /did not get through the SSH handshake/,
      false,
    ],
    [
      'an endless login',
      { error: levelled('client-timeout'), handshakeDone: true },
      'unreachable',
      /login did not come to an end/,
      false,
    ],
    [
      'an early end',
      { error: new Error('Connection lost before handshake') },
      'unreachable',
      /closed the connection at once/,
      true,
    ],
    [
      'a foreign protocol',
      { error: new Error('Invalid identification string') },
      'unreachable',
      /does not speak SSH 2/,
      false,
    ],
    [
      'an unknown fault',
      { error: new Error('Malformed packet') },
      'unreachable',
      /handshake failed: Malformed packet/,
      false,
    ],
    [
      'a hang-up at login',
      { error: new Error('No response from server'), handshakeDone: true },
      'auth',
      /found the server hung up/,
      false,
    ],
    ['an agent that fails', { error: levelled('agent'), handshakeDone: true }, 'auth', /found the agent failed/, false],
  ];
  for (const [name, seen, reason, sentence, transient] of cases) {
    it(`recognises ${name}`, () => {
      const failure = diagnose({ ...nothing, ...seen });
      assert.equal(failure.reason, reason);
      assert.match(failure.sentence, sentence);
      assert.equal(failure.transient, transient);
    });
  }
});

const nothing: Observed = {
  error: undefined,
  objection: undefined,
  handshakeDone: false,
  serverOffers: [],
  hostKeyAlgorithms: ['ssh-ed25519'],
  login: { user: 'deploy', offered: 'the given key', allowed: [], partial: false },
};

function coded(code: string): Error {
  return Object.assign(new Error('what the system said'), { code });
}

function levelled(level: string): Error {
  return Object.assign(new Error('what ssh2 said'), { level });
}
