import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InconclusiveCause } from '../../../src/health/answer.ts';
import { decide, firstGoodWithin, judgeBaseline } from '../../../src/health/verdict.ts';
import type { BakeRules, Decision, Sample } from '../../../src/health/verdict.ts';

const RULES: BakeRules = { bakeTime: 10_000, successes: 3, failureLimit: 0, interval: 1000, timeout: 5000 };
const VERDICTS = { g: 'good', b: 'bad', i: 'inconclusive' } as const;

/** One letter a second: good, bad, inconclusive; a space is a second without an answer. */
function samples(letters: string, cause: InconclusiveCause = 'network'): Sample[] {
  return letters.split('').flatMap((letter, second) => {
    if (letter !== 'g' && letter !== 'b' && letter !== 'i') return [];
    const verdict = VERDICTS[letter];
    return { at: second * 1000, verdict, why: `answer ${second}`, ms: 1, ...(letter === 'i' ? { cause } : {}) };
  });
}

function why(letters: string, now: number): string {
  return decide(samples(letters), { rules: RULES, now }).why;
}

describe('decide', () => {
  const cases: [name: string, letters: string, now: number, rules: Partial<BakeRules>, expected: Decision['state']][] =
    [
      ['waits for the first answer', '', 0, {}, 'pending'],
      ['waits for the bake to be over', 'ggggg', 9999, {}, 'pending'],
      ['passes when the bake is over and enough good answers came in a row', 'ggggg', 10_000, {}, 'healthy'],
      ['goes on after the bake until enough came', '        gg', 10_000, {}, 'pending'],
      ['passes then', '        ggg', 10_000, {}, 'healthy'],
      [
        'passes at once where nothing is to be baked and one answer is enough',
        'g',
        1,
        { bakeTime: 0, successes: 1 },
        'healthy',
      ],
      ['condemns the first bad answer after a good one', 'gb', 1000, {}, 'unhealthy'],
      ['does not count bad answers before the first good one', 'bbbbggg', 10_000, {}, 'healthy'],
      ['tolerates as many bad ones as allowed', 'gbgbggg', 10_000, { failureLimit: 2 }, 'healthy'],
      ['condemns one more, however far apart', 'gbgggbgggb', 9000, { failureLimit: 2 }, 'unhealthy'],
      ['counts good answers in a row only', 'ggbgg', 10_000, { failureLimit: 1 }, 'pending'],
      ['waits for a first good answer as long as all probes together may take', 'bbb', 17_999, {}, 'pending'],
      ['condemns without one', 'bbb', 18_000, {}, 'unhealthy'],
      ['condemns where the first good one came too late', `${'b'.repeat(18)} g`, 19_000, {}, 'unhealthy'],
      ['takes the bake time where it is longer', 'bbb', 18_000, { bakeTime: 60_000 }, 'pending'],
      ['draws no conclusion where only our own network failed', 'iii', 18_000, {}, 'inconclusive'],
      ['condemns where it failed besides the service', 'ibi', 18_000, {}, 'unhealthy'],
      ['draws no conclusion from a failing network of our own after a good answer', 'gi', 1000, {}, 'inconclusive'],
      ['tolerates it as often as bad answers', 'giggg', 10_000, { failureLimit: 1 }, 'healthy'],
      ['does not take it as one of the good answers in a row', 'ggigg', 10_000, { failureLimit: 1 }, 'pending'],
      ['names bad answers before failures of our own network', 'gbi', 2000, {}, 'unhealthy'],
      ['stays pending while red as before', 'bbb', 9999, { redBefore: true }, 'pending'],
      ['passes what is as red as before when the bake is over', 'bbb', 10_000, { redBefore: true }, 'healthy'],
      ['condemns what was red before, turned good, and turned red', 'bbgb', 3000, { redBefore: true }, 'unhealthy'],
      [
        'lets what was red before turn good however late',
        `${'b'.repeat(20)}ggg`,
        22_000,
        { redBefore: true },
        'healthy',
      ],
      [
        'draws no conclusion where all that was red before cannot be probed now',
        'iii',
        10_000,
        { redBefore: true },
        'inconclusive',
      ],
    ];
  for (const [name, letters, now, rules, expected] of cases) {
    test(`${name} (${letters === '' ? 'none' : letters})`, () => {
      assert.equal(decide(samples(letters), { rules: { ...RULES, ...rules }, now }).state, expected);
    });
  }

  for (const cause of ['lost', 'denied', 'stopped', 'request'] as const) {
    test(`draws no conclusion at once from "${cause}", which no later answer can mend`, () => {
      const rules = { ...RULES, failureLimit: 9 };
      assert.equal(decide(samples('ggi', cause), { rules, now: 2000 }).state, 'inconclusive');
    });
  }

  test('says why in a sentence with the numbers and the last answer', () => {
    assert.equal(why('ggb', 2000), '1 bad answer after a good one, 0 allowed; the last was answer 2');
    assert.equal(why('bb', 18_000), 'No good answer within 18000 ms; the last was answer 1');
    assert.equal(why('ggg', 10_000), '3 good answers in a row, 10000 ms over');
    assert.equal(why('g', 4000), '1 of 3 good answers in a row, 4000 of 10000 ms');
  });

  test('is decided in the end whatever the answers are', () => {
    const rules = { ...RULES, failureLimit: 2 };
    let seed = 1;
    const next = (): string => 'gbi'[(seed = (seed * 48271) % 2147483647) % 3] ?? 'g';
    for (let run = 0; run < 200; run++) {
      const letters = Array.from({ length: 40 }, next).join('');
      assert.notEqual(decide(samples(letters), { rules, now: 40_000 }).state, 'pending', letters);
    }
  });
});

describe('firstGoodWithin', () => {
  test('is the bake time, or what all good answers may take where that is longer', () => {
    assert.equal(firstGoodWithin(RULES), 18_000);
    assert.equal(firstGoodWithin({ ...RULES, bakeTime: 30_000 }), 30_000);
  });
});

describe('judgeBaseline', () => {
  for (const [letters, failureLimit, state] of [
    ['ggg', 0, 'green'],
    ['b', 0, 'red'],
    ['gb', 0, 'red'],
    ['gbg', 1, 'green'],
    ['gbb', 1, 'red'],
    ['bbb', 9, 'red'],
    ['i', 0, 'inconclusive'],
    ['gig', 1, 'green'],
    ['bi', 1, 'red'],
    ['', 0, 'inconclusive'],
  ] as const) {
    test(`calls "${letters}" ${state} where ${failureLimit} bad ones are allowed`, () => {
      assert.equal(judgeBaseline(samples(letters), failureLimit).state, state);
    });
  }
});
