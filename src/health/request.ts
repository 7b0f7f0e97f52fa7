import { performance } from 'node:perf_hooks';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { BODY_LIMIT } from './answer.ts';
import type { ProbeAnswer, ProbeTarget } from './answer.ts';
import { authorities, dial, secure } from './connect.ts';
import { failureOf } from './failure.ts';
import { loadUndici } from './undici.ts';
import type { Client } from 'undici';
import type { Stage } from './failure.ts';

/**
 * Sends one GET over one fresh connection and closes it. Follows no redirect, inflates nothing, tries nothing twice.
 * Never rejects: whatever goes wrong is an answer of its own kind. `signal` gives up on it.
 */
export async function sendProbe(target: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer> {
  await prepareProbes(target);
  const started = performance.now();
  const limit = startLimit(target.timeout, signal);
  const attempt: Attempt = { stage: 'dial', streams: [] };
  try {
    return { ...(await exchange(target, { attempt, signal: limit.signal })), ms: performance.now() - started };
  } catch (error) {
    const ms = performance.now() - started;
    // A dying link ends its streams in the same turn in which it reports itself as lost
    await new Promise((resolve) => setImmediate(resolve));
    const lost = target.lost?.aborted ?? false;
    return { ...failureOf(error, { stage: attempt.stage, ended: limit.ended(), lost, timeout: target.timeout }), ms };
  } finally {
    limit.clear();
    for (const stream of attempt.streams) stream.destroy();
  }
}

/** Loads what the first probe would otherwise wait for; worth calling while something else is awaited. */
export async function prepareProbes(target: Pick<ProbeTarget, 'url' | 'ca'>): Promise<void> {
  await (rehearsed ??= rehearse());
  if (target.url.protocol === 'https:') await authorities(target.ca);
}

let rehearsed: Promise<unknown> | undefined;

/** undici compiles its parser at the first answer, 20 ms that must not count as the service's; so it gets one here. */
async function rehearse(): Promise<unknown> {
  const [near, far] = duplexPair();
  far.once('data', () => far.end('HTTP/1.1 204 No Content\r\n\r\n'));
  const url = new URL('http://rehearsal/');
  const client = await clientOver(near, url);
  const { signal } = new AbortController();
  return get(client, { target: { url, headers: [], timeout: 0 }, signal }).finally(() => void client.destroy());
}

interface Attempt {
  stage: Stage;
  /** Everything opened so far, to be destroyed at the end. */
  streams: Duplex[];
}

interface Exchange {
  attempt: Attempt;
  signal: AbortSignal;
}

async function exchange(target: ProbeTarget, { attempt, signal }: Exchange) {
  let stream = keep(await dial(target, signal), attempt);
  if (target.url.protocol === 'https:') {
    attempt.stage = 'tls';
    stream = keep(await secure(stream, target, signal), attempt);
  }
  attempt.stage = 'http';
  const client = await clientOver(stream, target.url);
  try {
    return await get(client, { target, signal });
  } finally {
    void client.destroy();
  }
}

async function get(client: Client, { target, signal }: { target: ProbeTarget; signal: AbortSignal }) {
  const { url } = target;
  const headers = withDefaults(target.headers).flat();
  const { request } = await loadUndici();
  const answer = await request(client, { method: 'GET', path: url.pathname + url.search, headers, signal });
  return { kind: 'answer' as const, status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
}

/** One client for one stream: asked for a second connection, as undici does on its own, it fails instead. */
async function clientOver(stream: Duplex, url: URL): Promise<Client> {
  const { Client } = await loadUndici();
  let used = false;
  return new Client(url.origin, {
    // One deadline rules everything; undici's own limits start anew with each byte
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: BODY_LIMIT,
    pipelining: 0,
    connect: (_options, callback) => {
      const again = used || stream.destroyed;
      used = true;
      // Called back at once, undici would forget the request that waits for it
      process.nextTick(() => {
        if (again) callback(stream.errored ?? new Error('the connection was closed before the request was sent'), null);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it says Socket, but any Duplex will do
        else callback(null, stream as Socket);
      });
    },
  });
}

function withDefaults(headers: ProbeTarget['headers']): ProbeTarget['headers'] {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const defaults: ProbeTarget['headers'] = [
    ['User-Agent', 'nginx-hot-upgrade'],
    ['Accept', '*/*'],
  ];
  return [...headers, ...defaults.filter(([name]) => !given.has(name.toLowerCase()))];
}

/** Errors that arrive between two owners of a stream, or after the probe, must not end the process. */
function keep(stream: Duplex, attempt: Attempt): Duplex {
  stream.on('error', () => {});
  attempt.streams.unshift(stream);
  return stream;
}

function startLimit(timeout: number, signal: AbortSignal) {
  const controller = new AbortController();
  let ended: 'deadline' | 'stopped' | undefined;
  const end = (why: 'deadline' | 'stopped'): void => {
    ended ??= why;
    controller.abort(new Error(why));
  };
  const stop = (): void => end('stopped');
  const timer = setTimeout(end, timeout, 'deadline');
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    signal: controller.signal,
    ended: () => ended,
    clear: (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}
