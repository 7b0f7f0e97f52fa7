import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bake } from '../../../src/health/bake.ts';
import type { BakeOptions } from '../../../src/health/bake.ts';
import type { Clock } from '../../../src/health/clock.ts';
import type { Judgement } from '../../../src/health/judge.ts';
import { judge } from '../../../src/health/judge.ts';
import { sendProbe } from '../../../src/health/request.ts';
import type { BakeRules } from '../../../src/health/verdict.ts';
import { never, probeTarget, serveHttp } from './servers.ts';

const RULES: BakeRules = { bakeTime: 10_000, successes: 3, failureLimit: 0, interval: 1000, timeout: 5000 };
const GOOD: Judgement = { verdict: 'good', why: 'status 200', ms: 2 };
const BAD: Judgement = { verdict: 'bad', why: 'status 503', ms: 2 };

/** A clock that is set forward by whoever sleeps. */
function fakeClock(): Clock & { time: number; sleeps: number[] } {
  const clock = {
    time: 500,
    sleeps: [] as number[],
    now: () => clock.time,
    wall: () => Date.UTC(2026, 0, 1),
    sleep: async (ms: number) => {
      clock.sleeps.push(ms);
      clock.time += ms;
    },
  };
  return clock;
}

/** Bakes against answers given by the second in which they are asked for; each takes `took` ms. */
async function bakeScripted(
  answers: (second: number) => Judgement,
  { took = 0, ...options }: Partial<BakeOptions> & { took?: number; rules: BakeRules },
) {
  const clock = fakeClock();
  const sent: number[] = [];
  const probe = async (): Promise<Judgement> => {
    sent.push(clock.time - 500);
    const answer = answers(Math.floor((clock.time - 500) / 1000));
    clock.time += took;
    return answer;
  };
  const result = await bake({ probe, clock, watch: { signal: never }, ...options });
  return { result, sent, elapsed: clock.time - 500, sleeps: clock.sleeps };
}

describe('bake', () => {
  test('is exactly one probe without any waiting where one good answer is enough', async () => {
    const rules = { ...RULES, bakeTime: 0, successes: 1 };
    const { result, sent, sleeps } = await bakeScripted(() => GOOD, { rules });
    assert.equal(result.state, 'healthy');
    assert.deepEqual([sent, sleeps], [[0], []]);
  });

  test('probes on the grid and ends with the bake time', async () => {
    const { result, sent, elapsed } = await bakeScripted(() => GOOD, { rules: { ...RULES, bakeTime: 3500 }, took: 30 });
    assert.equal(result.state, 'healthy');
    assert.deepEqual(sent, [0, 1000, 2000, 3000]);
    assert.equal(elapsed, 3500);
  });

  test('goes on past the bake time until enough good answers came in a row', async () => {
    const { result, sent } = await bakeScripted(() => GOOD, { rules: { ...RULES, bakeTime: 0 } });
    assert.equal(result.state, 'healthy');
    assert.deepEqual(sent, [0, 1000, 2000]);
  });

  test('ends at once when something turns bad', async () => {
    const { result, sent } = await bakeScripted((second) => (second < 4 ? GOOD : BAD), { rules: RULES });
    assert.equal(result.state, 'unhealthy');
    assert.equal(sent.at(-1), 4000);
  });

  test('ends when no good answer came in time, not a tick later', async () => {
    const { result, elapsed } = await bakeScripted(() => BAD, { rules: { ...RULES, timeout: 250 } });
    assert.equal(result.state, 'unhealthy');
    assert.equal(elapsed, 10_000);
  });

  test('lets a probe that is still out swallow the ones due meanwhile, and never passes over its head', async () => {
    const rules = { ...RULES, bakeTime: 2000, successes: 1 };
    const { result, sent, elapsed } = await bakeScripted(() => GOOD, { rules, took: 1500 });
    assert.equal(result.state, 'healthy');
    assert.deepEqual(sent, [0]);
    assert.equal(elapsed, 2000);
    const slow = await bakeScripted((second) => (second < 2 ? GOOD : BAD), {
      rules: { ...rules, bakeTime: 2500 },
      took: 1500,
    });
    assert.deepEqual(slow.sent, [0, 2000]);
    assert.equal(slow.result.state, 'unhealthy');
  });

  test('brings the last answers as evidence, oldest first', async () => {
    const { result } = await bakeScripted((second) => (second < 20 ? GOOD : BAD), {
      rules: { ...RULES, bakeTime: 60_000 },
    });
    assert.equal(result.evidence.length, 10);
    assert.equal(result.evidence[0], '2026-01-01T00:00:11.000Z good after 2.0 ms: status 200');
    assert.equal(result.evidence[9], '2026-01-01T00:00:20.000Z bad after 2.0 ms: status 503');
  });

  test('stops with the reason of whoever watches, in the middle of a wait', async () => {
    const watch = new AbortController();
    const rules = { ...RULES, interval: 60_000 };
    const probe = async (): Promise<Judgement> => {
      setImmediate(() => watch.abort(new Error('the new master died')));
      return GOOD;
    };
    const result = await bake({ probe, rules, watch });
    assert.deepEqual([result.state, result.why], ['stopped', 'the new master died']);
  });

  test('stops in the middle of a probe', async (t) => {
    const watch = new AbortController();
    const port = await serveHttp(t, () => watch.abort(new Error('cancelled')));
    const target = probeTarget(`http://127.0.0.1:${port}/`, { timeout: 60_000 });
    const probe = async (signal: AbortSignal) =>
      judge(await sendProbe(target, signal), { status: [{ from: 200, to: 200 }] });
    const result = await bake({ probe, rules: RULES, watch });
    assert.deepEqual([result.state, result.why], ['stopped', 'cancelled']);
  });

  test('tells a service that turns bad from a real server', async (t) => {
    let asked = 0;
    const port = await serveHttp(t, (_request, response) => response.writeHead(++asked > 3 ? 500 : 200).end());
    const target = probeTarget(`http://127.0.0.1:${port}/`);
    const probe = async (signal: AbortSignal) =>
      judge(await sendProbe(target, signal), { status: [{ from: 200, to: 299 }] });
    const result = await bake({ probe, rules: { ...RULES, interval: 10 }, watch: { signal: never } });
    assert.equal(result.state, 'unhealthy');
    assert.equal(asked, 4);
    assert.match(result.evidence.at(-1) ?? '', /bad after .* ms: status 500, expected 200-299/);
  });
});
