import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../src/errors.ts';
import { exchange } from './http-exchange.ts';
import { summarise, type LoadResult, type Sample } from './load-result.ts';
import type { LoadOptions } from './load.ts';

const TIMEOUT_MS = 5000;
const options: LoadOptions = workerData;
const parent = parentPort;
if (!parent) throw new Error('expected to run as a worker thread');

const to = options.connectVia ?? { host: options.host, port: options.port };
const head = `GET ${options.path ?? '/'} HTTP/1.1\r\nHost: ${options.host}\r\n`;

const samples: Sample[] = [];
const reused: LoadResult['reused'] = { sent: 0, failed: 0, failures: [] };
const underWay = new Set<Promise<void>>();
const stopping = new AbortController();

const first = await attempt(open(), 'close');
if ('failure' in first) throw new Error(`expected an answer before the load starts, found ${first.failure}`);
const started = performance.now();
const clients = Array.from({ length: options.keepAlive ?? 0 }, keepAliveClient);
const timer = setInterval(sendWhatIsDue, 1);
say('started');
await once(parent, 'message');
stopping.abort();
clearInterval(timer);
await Promise.all([...underWay, ...clients]);
say(summarise(samples, reused));

function say(message: 'started' | LoadResult): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  parentPort?.postMessage(message);
}

function now(): number {
  return performance.now() - started;
}

function sendWhatIsDue(): void {
  while ((samples.length * 1000) / options.rate <= now()) {
    const request = fresh();
    underWay.add(request);
    void request.finally(() => underWay.delete(request));
  }
}

async function fresh(): Promise<void> {
  const sample: Sample = { due: (samples.length * 1000) / options.rate, end: 0 };
  samples.push(sample);
  const socket = open();
  Object.assign(sample, await attempt(socket, 'close'));
  sample.end = now();
  socket.destroy();
}

/** One request every 100 ms over one connection. A close while idle is normal, one after a request is a failure. */
async function keepAliveClient(): Promise<void> {
  let socket = open();
  let isReused = false;
  while (!stopping.signal.aborted) {
    if (socket.destroyed || socket.readableEnded) {
      socket.destroy();
      socket = open();
      isReused = false;
    }
    const outcome = await attempt(socket, 'keep-alive');
    const why = 'failure' in outcome ? outcome.failure : undefined;
    if (isReused) countReused(why);
    if (why !== undefined) socket.destroy();
    isReused = true;
    await pause(100);
  }
  socket.destroy();
}

function countReused(why: string | undefined): void {
  reused.sent += 1;
  if (why === undefined) return;
  reused.failed += 1;
  if (reused.failures.length < 20) reused.failures.push(`at ${Math.round(now())} ms: ${why}`);
}

async function attempt(socket: Socket, connection: string): Promise<{ version: string } | { failure: string }> {
  try {
    const text = `${head}Connection: ${connection}\r\n\r\n`;
    const { status, version } = await exchange(socket, { text, timeout: TIMEOUT_MS });
    return status === 200 ? { version } : { failure: `status ${status} from ${version}` };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

function open(): Socket {
  // The listener outlives the exchange: a reset of an idle connection must not end the thread.
  return connect({ ...to, noDelay: true }).on('error', () => {});
}
