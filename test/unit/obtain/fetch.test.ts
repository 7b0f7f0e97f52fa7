import assert from 'node:assert/strict';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { fetchBytes, fetchOrNothing, type FetchOptions, sha256Of } from '../../../src/obtain/fetch.ts';
import { makeCertificate, serveHttps } from '../health/servers.ts';
import { folder, openSite, plant, refused, trustingSites } from './support.ts';

const OPTIONS: FetchOptions = { what: 'the new nginx', limit: 1024 ** 2, deadline: 20_000 };
const BYTES = Buffer.from([0, 255, 10, 13, 128]);

const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(code, headers).end('said');
const good: RequestListener = (_request, response) => response.end(BYTES);
const broken: RequestListener = (request) => request.socket.destroy();
const truncated: RequestListener = (_request, response) =>
  response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());

/** One answer after another; the last one stays. */
function inTurn(...answers: [RequestListener, ...RequestListener[]]): RequestListener {
  return (request, response) => {
    const [answer] = answers;
    if (answers[1] !== undefined) answers.shift();
    answer(request, response);
  };
}

describe('fetchBytes over https', () => {
  trustingSites();

  it('gives the bytes as they are', async (t) => {
    const site = await openSite(t, ({ headers }, response) =>
      response.end(headers['accept-encoding'] === 'identity' ? BYTES : 'another encoding'),
    );
    assert.deepEqual(await fetchBytes(`${site.url}/nginx?a=b`, OPTIONS), BYTES);
    assert.deepEqual(site.asked, ['/nginx?a=b']);
  });

  for (const code of [404, 410]) {
    it(`finds nothing where the server answers ${code}`, async (t) => {
      const site = await openSite(t, status(code));
      assert.equal(await fetchOrNothing(site.url, OPTIONS), undefined);
      await assert.rejects(fetchBytes(site.url, OPTIONS), refused('download-failed', /the new nginx.*no such file/));
      assert.equal(site.asked.length, 2);
    });
  }

  const final: [what: string, answer: RequestListener, why: RegExp][] = [
    ['another status', status(403), /expected status 200, found 403/],
    ['no content', status(204), /found 204/],
    ['a redirect to nowhere', status(302), /found 302/],
    [
      'an encoding',
      (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(BYTES)),
      /gzip encoded/,
    ],
  ];
  for (const [what, answer, why] of final) {
    it(`refuses ${what} without trying again`, async (t) => {
      const site = await openSite(t, answer);
      await assert.rejects(fetchBytes(site.url, OPTIONS), refused('download-failed', why));
      assert.equal(site.asked.length, 1);
    });
  }

  it('refuses what is larger than the limit without reading on', async (t) => {
    let pieces = 0;
    const endless = function* () {
      for (; ; pieces += 1) yield Buffer.alloc(64 * 1024);
    };
    const site = await openSite(t, (_request, response) => Readable.from(endless()).pipe(response));
    await assert.rejects(fetchBytes(site.url, OPTIONS), refused('download-failed', /larger than 1 MiB/));
    assert.ok(pieces < 1024, `${pieces} pieces`);
    assert.equal(site.asked.length, 1);
  });

  const silent: [when: string, answer: RequestListener][] = [
    ['never answers', () => {}],
    ['stops in the middle', (_request, response) => response.writeHead(200, { 'content-length': 100 }).write('half')],
  ];
  for (const [when, answer] of silent) {
    it(`leaves a server that ${when} at the deadline`, async (t) => {
      const responses: ServerResponse[] = [];
      const site = await openSite(t, (request, response) => {
        responses.push(response);
        answer(request, response);
      });
      await assert.rejects(
        fetchBytes(site.url, { ...OPTIONS, deadline: 100 }),
        refused('download-failed', /not within 0\.1 s/),
      );
      const [response] = responses;
      assert.ok(response !== undefined);
      if (!response.closed) await once(response, 'close', { signal: AbortSignal.timeout(1000) });
    });
  }

  it('refuses a server for which nobody vouches', async (t) => {
    const port = await serveHttps(t, makeCertificate());
    const answer = fetchBytes(`https://127.0.0.1:${port}/`, { ...OPTIONS, deadline: 900 });
    await assert.rejects(answer, refused('download-failed', /self-signed certificate/));
  });
});

describe('fetchBytes after what may pass by itself', { concurrency: true }, () => {
  trustingSites();

  const passing: [what: string, answer: RequestListener, tries: number][] = [
    ['two answers 500', inTurn(status(500), status(500), good), 3],
    ['an answer 429', inTurn(status(429), good), 2],
    ['a broken connection', inTurn(broken, good), 2],
    ['half a file', inTurn(truncated, good), 2],
  ];
  for (const [what, answer, tries] of passing) {
    it(`tries again: ${what}`, async (t) => {
      const site = await openSite(t, answer);
      assert.deepEqual(await fetchBytes(site.url, OPTIONS), BYTES);
      assert.equal(site.asked.length, tries);
    });
  }

  const staying: [what: string, answer: RequestListener, why: RegExp][] = [
    ['a file that is always cut off', truncated, /aborted/],
    ['a server that is always busy', status(503), /answered 503/],
  ];
  for (const [what, answer, why] of staying) {
    it(`gives up at the third try: ${what}`, async (t) => {
      const site = await openSite(t, answer);
      await assert.rejects(fetchBytes(site.url, OPTIONS), refused('download-failed', why));
      assert.equal(site.asked.length, 3);
    });
  }

  it('gives up early where no time is left for another try', async (t) => {
    const site = await openSite(t, status(500));
    await assert.rejects(
      fetchBytes(site.url, { ...OPTIONS, deadline: 900 }),
      refused('download-failed', /answered 500/),
    );
    assert.equal(site.asked.length, 1);
  });
});

describe('fetchBytes from this machine', () => {
  const at = (path: string): string => pathToFileURL(path).href;

  it('reads a file, also through a link and with blanks in its name', async () => {
    const directory = plant(folder(), { 'new nginx': BYTES });
    symlinkSync('new nginx', join(directory, 'link'));
    assert.deepEqual(await fetchBytes(at(join(directory, 'new nginx')), OPTIONS), BYTES);
    assert.deepEqual(await fetchBytes(at(join(directory, 'link')), OPTIONS), BYTES);
  });

  it('finds nothing where nothing is', async () => {
    const url = at(join(folder(), 'nginx'));
    assert.equal(await fetchOrNothing(url, OPTIONS), undefined);
    await assert.rejects(fetchBytes(url, OPTIONS), refused('download-failed', /no such file/));
  });

  it('refuses a directory and a device', async () => {
    for (const path of [folder(), '/dev/zero'])
      await assert.rejects(fetchBytes(at(path), OPTIONS), refused('download-failed', /found something else/));
  });

  const unreadable: [what: string, url: string][] = [
    ['an address of another machine', 'file://elsewhere/nginx'],
    ['a slash that is no slash', 'file:///tmp/a%2Fb'],
    ['a name that ends early', 'file:///tmp/a%00b'],
    ['a file in the place of a directory', `${import.meta.url}/nginx`],
    ['a name that is too long', `file:///tmp/${'n'.repeat(300)}`],
  ];
  for (const [what, url] of unreadable) {
    it(`says what it could not fetch, and why: ${what}`, async () => {
      const why = /the new nginx could not be fetched: file:\/\/.+: .+/;
      await assert.rejects(fetchOrNothing(url, OPTIONS), refused('download-failed', why));
    });
  }

  it('refuses a file that is larger than the limit, and takes one that just fits', async () => {
    const path = join(plant(folder(), { nginx: Buffer.alloc(OPTIONS.limit + 1) }), 'nginx');
    await assert.rejects(fetchBytes(at(path), OPTIONS), refused('download-failed', /larger than 1 MiB/));
    assert.equal((await fetchBytes(at(path), { ...OPTIONS, limit: OPTIONS.limit + 1 })).length, OPTIONS.limit + 1);
  });
});

describe('sha256Of', () => {
  it('is the digest in lower-case hexadecimal', () => {
    assert.equal(sha256Of(Buffer.from('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
