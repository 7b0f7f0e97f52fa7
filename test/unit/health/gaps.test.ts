import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quantile, streamNumbers } from '../../../src/health/gaps.ts';
import type { Shot } from '../../../src/health/gaps.ts';

const MEASURING = { stallMs: 250, end: 10_000, redBefore: false, wall: 0 };
const good = (due: number, took = 2): Shot => ({ due, done: due + took, verdict: 'good' });
const bad = (due: number, took = 1): Shot => ({ due, done: due + took, verdict: 'bad', why: 'refused' });
const unsure = (due: number): Shot => ({ due, done: due + 1, verdict: 'inconclusive' });
const skipped = (due: number): Shot => ({ due, verdict: 'skipped' });
const out = (due: number): Shot => ({ due, verdict: 'outstanding' });

describe('streamNumbers', () => {
  const cases: { name: string; shots: Shot[]; gap: number; failed: number; stalled?: number; sent?: number }[] = [
    { name: 'sees no gap where all is good', shots: [good(0), good(50), good(100, 250)], gap: 0, failed: 0 },
    {
      name: 'measures from a failed probe to the next good answer',
      shots: [good(0), bad(50), good(100)],
      gap: 52,
      failed: 1,
    },
    { name: 'takes failures in a row as one gap', shots: [bad(0), bad(50), bad(100), good(150)], gap: 152, failed: 3 },
    {
      name: 'takes the longest of several',
      shots: [bad(0), good(50), bad(100), bad(150), good(200)],
      gap: 102,
      failed: 3,
    },
    {
      name: 'measures a stall from the due time of the first late answer',
      shots: [good(0), good(50, 600), good(100, 550), good(150, 500), good(650)],
      gap: 600,
      failed: 0,
      stalled: 3,
    },
    {
      name: 'ends the gap of one stuck probe with the next answer',
      shots: [good(0, 900), good(50)],
      gap: 52,
      failed: 0,
      stalled: 1,
    },
    {
      name: 'does not end a gap with an answer to an earlier probe',
      shots: [good(0, 200), bad(50), good(100, 240)],
      gap: 290,
      failed: 1,
    },
    { name: 'measures an open gap to the end', shots: [good(0), bad(50), out(9000)], gap: 9950, failed: 2 },
    {
      name: 'counts probes that the jam left unsent as stalled',
      shots: [out(0), skipped(50), good(100)],
      gap: 102,
      failed: 1,
      stalled: 1,
      sent: 2,
    },
    { name: 'keeps inconclusive probes apart', shots: [good(0), unsure(50), good(100)], gap: 0, failed: 0 },
    { name: 'has nothing to say about nothing', shots: [], gap: 0, failed: 0 },
  ];
  for (const { name, shots, gap, failed, stalled = 0, sent = shots.length } of cases) {
    test(name, () => {
      const numbers = streamNumbers(shots, MEASURING);
      const { longestGapMs } = numbers;
      assert.deepEqual(
        { longestGapMs, failed: numbers.failed, stalled: numbers.stalled, sent: numbers.sent },
        { longestGapMs: gap, failed, stalled, sent },
      );
    });
  }

  test('counts nothing before the first good answer where it was red before', () => {
    const redBefore = { ...MEASURING, redBefore: true };
    const turned = streamNumbers([bad(0), bad(50), good(100), bad(150), good(200)], redBefore);
    assert.deepEqual([turned.sent, turned.failed, turned.longestGapMs], [5, 1, 52]);
    const never = streamNumbers([bad(0), bad(50)], redBefore);
    assert.deepEqual([never.sent, never.failed, never.longestGapMs, never.p50Ms], [2, 0, 0, null]);
  });

  const blind = [{ from: 100, to: 1_000 }];
  const whileBlind: {
    name: string;
    shots: Shot[];
    failed?: number;
    unsure?: number;
    gap?: number;
    stalled?: number;
  }[] = [
    { name: 'takes a failure while we were blind for no failure', shots: [good(0), bad(200), good(1_050)], unsure: 1 },
    { name: 'believes a good answer all the same', shots: [good(0), good(200), good(1_050)] },
    { name: 'believes a failure that was over before', shots: [bad(50, 49), good(1_050)], failed: 1, gap: 1_002 },
    { name: 'does not believe one that was answered within', shots: [good(0), bad(50, 51)], unsure: 1 },
    { name: 'nor one that was answered at its very beginning', shots: [good(0), bad(99, 1)], unsure: 1 },
    { name: 'nor one that was due at its very end', shots: [good(0), bad(1_000, 400)], unsure: 1 },
    { name: 'nor one that began before and ended behind it', shots: [good(0), bad(99, 2_000)], unsure: 1 },
    { name: 'believes a failure that was due behind it', shots: [bad(1_001), good(1_050)], failed: 1, gap: 51 },
    { name: 'does not believe what is still outstanding from then', shots: [good(0), out(900)], unsure: 1 },
    { name: 'believes what is outstanding from later', shots: [good(0), out(1_050)], failed: 1, gap: 8_950 },
    { name: 'takes no stall from it', shots: [good(0), good(90, 950), skipped(500), good(1_050)], unsure: 2 },
    {
      name: 'keeps what failed around it',
      shots: [bad(0), good(50), bad(150), bad(990), good(1_050), bad(1_100), good(1_150)],
      failed: 2,
      unsure: 2,
      gap: 52,
    },
  ];
  for (const { name, shots, failed = 0, unsure: inconclusive = 0, gap: longestGapMs = 0, stalled = 0 } of whileBlind) {
    test(name, () => {
      const numbers = streamNumbers(shots, { ...MEASURING, blind });
      assert.deepEqual(
        {
          failed: numbers.failed,
          inconclusive: numbers.inconclusive,
          longestGapMs: numbers.longestGapMs,
          stalled: numbers.stalled,
        },
        { failed, inconclusive, longestGapMs, stalled },
      );
    });
  }

  test('leaves the answers that came late for our own sake out of the latencies', () => {
    const numbers = streamNumbers([good(0), good(90, 950), good(1_050)], { ...MEASURING, blind });
    assert.deepEqual([numbers.p50Ms, numbers.p99Ms, numbers.sent], [2, 2, 3]);
  });

  test('knows several such times', () => {
    const twice = [...blind, { from: 3_000, to: 4_000 }];
    const numbers = streamNumbers([good(0), bad(500), bad(2_000), good(2_050), bad(3_500)], {
      ...MEASURING,
      blind: twice,
    });
    assert.deepEqual([numbers.failed, numbers.inconclusive, numbers.longestGapMs], [1, 2, 52]);
  });

  test('tells of what could not be judged', () => {
    const { evidence } = streamNumbers([good(0), bad(500)], { ...MEASURING, blind });
    assert.deepEqual(evidence, ['1970-01-01T00:00:00.500Z inconclusive after 1.0 ms: refused']);
  });

  test('tells the first that failed or stalled, with time and reason', () => {
    const { evidence } = streamNumbers([good(0), bad(50), skipped(100), out(9900)], MEASURING);
    assert.deepEqual(evidence, [
      '1970-01-01T00:00:00.050Z bad after 1.0 ms: refused',
      '1970-01-01T00:00:00.100Z not sent, too many unanswered',
      '1970-01-01T00:00:09.900Z outstanding after 100.0 ms',
    ]);
  });
});

describe('quantile', () => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1);
  for (const [sorted, q, expected] of [
    [values, 0.5, 100],
    [values, 0.99, 198],
    [[7], 0.99, 7],
    [[1.26, 2], 0.5, 1.3],
    [[], 0.5, null],
  ] as const) {
    test(`is ${expected} for the ${q} of ${sorted.length} values`, () => {
      assert.equal(quantile([...sorted], q), expected);
    });
  }
});
