import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Millis } from '../config.ts';
import { messageOf, Refused } from '../errors.ts';
import { VERSION } from '../usage.ts';
import { refuse } from './refusal.ts';

export interface FetchOptions {
  /** What is fetched, for messages: `the source of nginx 1.30.4`. */
  what: string;
  /** Bytes. */
  limit: number;
  /** For all tries and redirects together. */
  deadline: Millis;
}

const TRIES = 3;
const MOST_REDIRECTS = 3;

/** Undefined where there is no such file. Throws Refused (`download-failed`). */
export async function fetchOrNothing(url: string, options: FetchOptions): Promise<Buffer | undefined> {
  const address = new URL(url);
  return address.protocol === 'file:' ? readLocal(address, options) : download(address, options);
}

/** Throws Refused (`download-failed`), also where there is no such file. */
export async function fetchBytes(url: string, options: FetchOptions): Promise<Buffer> {
  const bytes = await fetchOrNothing(url, options);
  if (bytes !== undefined) return bytes;
  throw failed(options, `expected it at ${url}; there is no such file`);
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readLocal(address: URL, options: FetchOptions): Promise<Buffer | undefined> {
  try {
    const path = fileURLToPath(address);
    const found = await stat(path);
    if (!found.isFile()) throw failed(options, `expected a file at ${path}; found something else`);
    if (found.size > options.limit) throw failed(options, tooLarge(path, options.limit));
    return await readFile(path);
  } catch (error) {
    if (error instanceof Refused) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw failed(options, `${address.href}: ${messageOf(error)}`);
  }
}

/** Tries again after what may pass by itself: a broken connection, a server that is busy. */
async function download(address: URL, options: FetchOptions): Promise<Buffer | undefined> {
  const end = performance.now() + options.deadline;
  for (let tried = 1; ; tried += 1) {
    try {
      return await follow(address, { ...options, end });
    } catch (error) {
      const wait = 500 * 2 ** tried;
      if (!(error instanceof Passing)) throw error;
      if (tried === TRIES || performance.now() + wait >= end)
        throw failed(options, `${address.href}: ${error.message}`);
      await delay(wait);
    }
  }
}

/** What may be otherwise a moment later. */
class Passing extends Error {}

interface Following extends FetchOptions {
  /** Monotonic time. */
  end: Millis;
}

async function follow(address: URL, options: Following): Promise<Buffer | undefined> {
  let at = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await ask(at, options);
    if ('body' in answer) return answer.body;
    at = await redirected(at, { to: answer.location, options });
  }
  throw failed(options, `${address.href}: found more than ${MOST_REDIRECTS} redirects`);
}

/** Only within the site: a digest or signature would catch another file, but nobody asked for requests elsewhere. */
async function redirected(from: URL, { to, options }: { to: string; options: FetchOptions }): Promise<URL> {
  if (!URL.canParse(to, from.href)) throw failed(options, `${from.href}: found a redirect to no valid address`);
  const next = new URL(to, from.href);
  const same = next.protocol === from.protocol && next.username === '' && (await siteOf(next)) === (await siteOf(from));
  if (same) return next;
  throw failed(options, `${from.href}: expected the file, found a redirect to ${next.origin}, which is another site`);
}

/**
 * What one owner registered, by the list of public suffixes, with those of hosting companies (a bucket is a site of its own);
 * or the whole name or address.
 */
async function siteOf({ hostname, port }: URL): Promise<string> {
  const { getDomain } = await import('tldts');
  return `${getDomain(hostname, { allowPrivateDomains: true }) ?? hostname}:${port}`;
}

type Answer = { body: Buffer | undefined } | { location: string };

async function ask(url: URL, options: Following): Promise<Answer> {
  const { HttpClient } = await import('@actions/http-client');
  // Proxies are those of the environment (https_proxy, no_proxy), as everywhere on a runner.
  const client = new HttpClient(`nginx-hot-upgrade/${VERSION}`, [], {
    allowRedirects: false,
    allowRetries: false,
    keepAlive: false,
    socketTimeout: 30_000,
  });
  const stop = new AbortController();
  const late = delay(Math.max(1, options.end - performance.now()), undefined, { signal: stop.signal }).then(
    () => Promise.reject(failed(options, `${url.href}: not within ${options.deadline / 1000} s`)),
    () => new Promise<never>(() => {}),
  );
  let message: IncomingMessage | undefined;
  try {
    const response = await Promise.race([client.get(url.href, { 'accept-encoding': 'identity' }), late]).catch(passing);
    ({ message } = response);
    return await Promise.race([read(message, { url, options }), late]);
  } finally {
    stop.abort();
    message?.destroy();
    client.dispose();
  }
}

async function read(message: IncomingMessage, { url, options }: { url: URL; options: Following }): Promise<Answer> {
  const { statusCode: status = 0, headers } = message;
  if (status >= 300 && status < 400 && headers.location !== undefined) return { location: headers.location };
  if (status === 404 || status === 410) return { body: undefined };
  if (status >= 500 || status === 429) throw new Passing(`the server answered ${status}`);
  if (status !== 200) throw failed(options, `${url.href}: expected status 200, found ${status}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw failed(options, `${url.href}: expected the file as it is, found it ${encoding} encoded`);
  const body = await collect(message, { url, options });
  const announced = Number(headers['content-length'] ?? body.length);
  if (announced !== body.length) throw new Passing(`of ${announced} bytes only ${body.length} came`);
  return { body };
}

async function collect(message: IncomingMessage, { url, options }: { url: URL; options: Following }): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of message as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > options.limit) throw failed(options, tooLarge(url.href, options.limit));
      pieces.push(piece);
    }
  } catch (error) {
    return passing(error);
  }
  return Buffer.concat(pieces);
}

function passing(error: unknown): never {
  if (error instanceof Refused) throw error;
  throw new Passing(messageOf(error));
}

function tooLarge(where: string, limit: number): string {
  return `${where}: is larger than ${Math.round(limit / 1024 / 1024)} MiB`;
}

function failed({ what }: FetchOptions, found: string) {
  return refuse(
    'download-failed',
    `${what} could not be fetched: ${found}`,
    'Correct the address, or see to it that it answers from here.',
  );
}
