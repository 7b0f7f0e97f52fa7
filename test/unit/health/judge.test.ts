import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProbeAnswer } from '../../../src/health/answer.ts';
import { judge } from '../../../src/health/judge.ts';
import type { Expectations } from '../../../src/health/judge.ts';

const answer = (status: number, body: string | Buffer = ''): ProbeAnswer => {
  return { kind: 'answer', status, body: Buffer.from(body), ms: 3 };
};
const ok: Expectations = { status: [{ from: 200, to: 399 }] };
const text = (wanted: string): Expectations => ({ ...ok, body: { kind: 'text', text: wanted } });
const regex = (source: string, flags = ''): Expectations => ({ ...ok, body: { kind: 'regex', source, flags } });

describe('judge', () => {
  const cases: { name: string; answer: ProbeAnswer; expected: Expectations; verdict: string; why: RegExp }[] = [
    {
      name: 'takes a status within the range',
      answer: answer(302),
      expected: ok,
      verdict: 'good',
      why: /^status 302$/,
    },
    {
      name: 'takes a status that is listed alone',
      answer: answer(404),
      expected: {
        status: [
          { from: 200, to: 299 },
          { from: 404, to: 404 },
        ],
      },
      verdict: 'good',
      why: /^status 404$/,
    },
    {
      name: 'refuses a status outside all ranges and says what was expected and what came',
      answer: answer(503, 'Service\n\u001b[31mUnavailable '.padEnd(500, 'x')),
      expected: {
        status: [
          { from: 200, to: 299 },
          { from: 404, to: 404 },
        ],
      },
      verdict: 'bad',
      why: /^status 503, expected 200-299, 404; the body starts with "Service \[31mUnavailable x+"$/,
    },
    {
      name: 'finds a text',
      answer: answer(200, 'all is well'),
      expected: text('is well'),
      verdict: 'good',
      why: /200/,
    },
    {
      name: 'misses a text',
      answer: answer(200, 'captive portal'),
      expected: text('is well'),
      verdict: 'bad',
      why: /^the text "is well" is missing; the body starts with "captive portal"$/,
    },
    {
      name: 'says that a body is empty',
      answer: answer(200),
      expected: text('x'),
      verdict: 'bad',
      why: /the body is empty$/,
    },
    {
      name: 'finds a text in a body that is no valid text',
      answer: answer(200, Buffer.from([0xff, 0x00, 0xc3, 0xa9, 0xfe])),
      expected: text('é'),
      verdict: 'good',
      why: /200/,
    },
    {
      name: 'matches a pattern with flags',
      answer: answer(200, 'a\nOK'),
      expected: regex('^ok$', 'im'),
      verdict: 'good',
      why: /200/,
    },
    {
      name: 'matches a pattern with the flags g and y anew each time',
      answer: answer(200, 'ok'),
      expected: regex('ok', 'gy'),
      verdict: 'good',
      why: /200/,
    },
    {
      name: 'misses a pattern',
      answer: answer(200, 'no'),
      expected: regex('^ok', 'i'),
      verdict: 'bad',
      why: /^nothing matches \/\^ok\/i; the body starts with "no"$/,
    },
    {
      name: 'takes a failure of the service as bad',
      answer: { kind: 'refused', message: 'connect ECONNREFUSED', ms: 1 },
      expected: ok,
      verdict: 'bad',
      why: /^connect ECONNREFUSED$/,
    },
    {
      name: 'takes a failure of our own network as inconclusive',
      answer: { kind: 'inconclusive', cause: 'lost', message: 'link gone', ms: 1 },
      expected: ok,
      verdict: 'inconclusive',
      why: /^link gone$/,
    },
  ];
  for (const { name, answer: given, expected, verdict, why } of cases) {
    test(name, () => {
      const first = judge(given, expected);
      assert.equal(first.verdict, verdict);
      assert.match(first.why, why);
      assert.deepEqual(judge(given, expected), first);
    });
  }

  test('gives up on a pattern that backtracks without end, and goes on working', () => {
    const body = `${'a'.repeat(1024 * 1024 - 1)}b`;
    const started = performance.now();
    const hopeless = judge(answer(200, body), regex('(a+)+$'));
    assert.ok(performance.now() - started < 1000);
    assert.equal(hopeless.verdict, 'bad');
    assert.match(hopeless.why, /^looking for \/\(a\+\)\+\$\/ took over 100 ms; use a simpler pattern$/);
    assert.equal(judge(answer(200, body), regex('b$')).verdict, 'good');
  });
});
