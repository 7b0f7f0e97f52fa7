import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { judge } from '../../../src/health/judge.ts';
import type { Judgement } from '../../../src/health/judge.ts';
import { sendProbe } from '../../../src/health/request.ts';
import { startStream as startAnyStream } from '../../../src/health/stream.ts';
import type { ProbeStream, StreamOptions } from '../../../src/health/stream.ts';
import { healthSettings, probeTarget, serveHttp } from './servers.ts';

const LOST: Judgement = { verdict: 'inconclusive', why: 'lost', ms: 1, cause: 'lost' };
const GOOD: Judgement = { verdict: 'good', why: 'status 200', ms: 1 };

function sendTo(port: number): (signal: AbortSignal) => Promise<Judgement> {
  const target = probeTarget(`http://127.0.0.1:${port}/`);
  return async (signal) => judge(await sendProbe(target, signal), healthSettings());
}

/** Ends with its test, also where that fails: its timer would keep the process for ever. */
function startStream(t: TestContext, options: StreamOptions): ProbeStream {
  const stream = startAnyStream(options);
  t.after(() => stream.stop({ graceMs: 0 }));
  return stream;
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('startStream', () => {
  test('measures a server that stalls for 600 ms, and counts no failure', async (t) => {
    const held: ServerResponse[] = [];
    let stalling = false;
    const port = await serveHttp(t, (_request, response) => {
      if (stalling) held.push(response);
      else response.end('ok');
    });
    const send = sendTo(port);
    await send(new AbortController().signal);
    const stream = startStream(t, { send });
    await delay(300);
    const from = performance.now();
    stalling = true;
    await delay(600);
    stalling = false;
    const stall = performance.now() - from;
    for (const response of held) response.end('ok');
    await delay(200);
    const numbers = await stream.stop();
    assert.ok(Math.abs(numbers.longestGapMs - stall) <= 60, `${numbers.longestGapMs} ms for ${stall} ms`);
    assert.equal(numbers.failed, 0);
    assert.ok(numbers.stalled >= 5 && numbers.stalled <= numbers.sent - 8, `${numbers.stalled} stalled`);
    assert.ok(numbers.sent >= 20, `${numbers.sent} sent`);
    assert.ok((numbers.p99Ms ?? 0) > 500, `${numbers.p99Ms} ms`);
  });

  test('sees no gap on a healthy server, and one fresh connection each', async (t) => {
    const ports = new Set<unknown>();
    const port = await serveHttp(t, (request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    const send = sendTo(port);
    await send(new AbortController().signal);
    const stream = startStream(t, { send, everyMs: 20 });
    await delay(210);
    const numbers = await stream.stop();
    assert.deepEqual([numbers.failed, numbers.longestGapMs, numbers.inconclusive], [0, 0, 0]);
    assert.equal(ports.size, numbers.sent + 1);
    assert.deepEqual(await stream.stop(), numbers);
  });

  test('counts a refusing server as failed until it is back', async (t) => {
    let down = false;
    const send = async (): Promise<Judgement> => (down ? { verdict: 'bad', why: 'refused', ms: 1 } : GOOD);
    const stream = startStream(t, { send, everyMs: 20 });
    await delay(50);
    down = true;
    await delay(100);
    down = false;
    await delay(50);
    const numbers = await stream.stop();
    assert.ok(numbers.failed >= 4 && numbers.failed <= 6, `${numbers.failed} failed`);
    assert.ok(numbers.longestGapMs >= 80 && numbers.longestGapMs <= 140, `${numbers.longestGapMs} ms`);
    assert.equal(numbers.evidence.length, numbers.failed);
  });

  test('piles up no more than 40 unanswered probes, and counts them as failed when its patience ends', async (t) => {
    let [outstanding, most, aborted] = [0, 0, 0];
    const send = (signal: AbortSignal) => {
      most = Math.max(most, ++outstanding);
      return new Promise<Judgement>((resolve) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          resolve({ verdict: 'inconclusive', why: 'stopped', ms: 1 });
        });
      });
    };
    const stream = startStream(t, { send, everyMs: 2 });
    await delay(200);
    const numbers = await stream.stop({ graceMs: 30 });
    assert.deepEqual([most, aborted, numbers.sent, numbers.failed], [40, 40, 40, 40]);
    assert.ok(numbers.stalled >= 40, `${numbers.stalled} stalled`);
    assert.ok(numbers.longestGapMs >= 200);
  });

  test('keeps its due times when the timers come late, and slows down when told to', async (t) => {
    let sent = 0;
    const send = async (): Promise<Judgement> => {
      sent += 1;
      return GOOD;
    };
    const timersBefore = timers();
    const start = performance.now();
    const stream = startStream(t, { send, everyMs: 10 });
    while (performance.now() < start + 100);
    await delay(15);
    // However late the timers came, none was left out, and none came before it was due.
    const due = (performance.now() - start) / 10;
    assert.ok(sent >= 10 && sent <= due + 1, `${sent} sent, ${due.toFixed(1)} due`);
    stream.slowDown(10_000);
    const before = sent;
    await delay(60);
    assert.equal(sent, before);
    stream.slowDown(10);
    await delay(50);
    assert.ok(sent > before);
    await stream.stop();
    assert.equal(timers(), timersBefore);
    stream.slowDown(1);
    const after = sent;
    await delay(20);
    assert.equal(sent, after);
  });

  test('does not count what failed while our own link was gone', async (t) => {
    let down = false;
    const send = async (): Promise<Judgement> => (down ? { verdict: 'bad', why: 'timeout', ms: 1 } : GOOD);
    const stream = startStream(t, { send, everyMs: 10 });
    await delay(50);
    const from = performance.now();
    down = true;
    await delay(100);
    down = false;
    const to = performance.now();
    await delay(50);
    // The first that failed was due up to one probe before, the last good one before that was heard.
    const numbers = await stream.stop({ blind: [{ from: from - 10, to }] });
    assert.deepEqual([numbers.failed, numbers.longestGapMs, numbers.stalled], [0, 0, 0]);
    assert.ok(numbers.inconclusive >= 8, `${numbers.inconclusive} inconclusive`);
    assert.ok((numbers.p50Ms ?? Infinity) < 250, `${numbers.p50Ms} ms`);
  });

  test('counts from the first call of stop: a second one changes nothing', async (t) => {
    const stream = startStream(t, { send: async () => ({ verdict: 'bad', why: 'refused', ms: 1 }), everyMs: 10 });
    await delay(30);
    const numbers = await stream.stop();
    assert.ok(numbers.failed > 0);
    assert.equal(await stream.stop({ blind: [{ from: -Infinity, to: Infinity }] }), numbers);
  });

  test('keeps probes that say nothing out of failures and gaps', async (t) => {
    const stream = startStream(t, { send: async () => LOST, everyMs: 10 });
    await delay(50);
    const numbers = await stream.stop();
    assert.deepEqual([numbers.failed, numbers.longestGapMs, numbers.p50Ms], [0, 0, null]);
    assert.equal(numbers.inconclusive, numbers.sent);
  });
});
