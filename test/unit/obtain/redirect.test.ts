import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { fetchBytes, type FetchOptions } from '../../../src/obtain/fetch.ts';
import { namingSites, openSite, refused, trustingSites } from './support.ts';

const OPTIONS: FetchOptions = { what: 'the new nginx', limit: 1024 ** 2, deadline: 20_000 };
const BYTES = Buffer.from('the file');

describe('a redirect', () => {
  trustingSites();

  /** Leads from /0 over /1, /2 and so on to the file. */
  const chain =
    (length: number): RequestListener =>
    (request, response) => {
      const at = Number(request.url?.slice(1));
      if (at === length) response.end(BYTES);
      else response.writeHead(302, { location: `/${at + 1}` }).end();
    };

  it('is followed within the site, three times', async (t) => {
    const site = await openSite(t, chain(3));
    assert.deepEqual(await fetchBytes(`${site.url}/0`, OPTIONS), BYTES);
    assert.deepEqual(site.asked, ['/0', '/1', '/2', '/3']);
  });

  it('is refused the fourth time', async (t) => {
    const site = await openSite(t, chain(4));
    await assert.rejects(fetchBytes(`${site.url}/0`, OPTIONS), refused('download-failed', /more than 3 redirects/));
    assert.deepEqual(site.asked, ['/0', '/1', '/2', '/3']);
  });

  const elsewhere: [where: string, to: (at: URL) => string, why: RegExp][] = [
    [
      'to another name of the same machine',
      ({ port }) => `https://localhost:${port}/end`,
      /localhost:\d+, which is another site/,
    ],
    ['to another port', () => 'https://127.0.0.1:1/end', /127\.0\.0\.1:1, which is another site/],
    ['to plain http', ({ host }) => `http://${host}/end`, /http:.* another site/],
    ['to a file', () => 'file:///etc/hostname', /another site/],
    ['with a name to log in', ({ host }) => `https://me@${host}/end`, /another site/],
    ['to no address at all', () => 'https://[', /no valid address/],
  ];
  for (const [where, to, why] of elsewhere) {
    it(`is refused ${where}`, async (t) => {
      const site = await openSite(t, ({ url }, response) => {
        if (url === '/end') response.end(BYTES);
        else response.writeHead(302, { location: to(new URL(site.url)) }).end();
      });
      await assert.rejects(fetchBytes(`${site.url}/`, OPTIONS), refused('download-failed', why));
      assert.deepEqual(site.asked, ['/']);
    });
  }
});

describe('a redirect to another name', () => {
  trustingSites();

  const named: [from: string, to: string, same: boolean][] = [
    ['nginx.org', 'www.nginx.org', true],
    ['a.b.nginx.org', 'c.nginx.org', true],
    ['nginx.org', 'nginx.com', false],
    ['nginx.org', 'evil-nginx.org', false],
    ['mirror.co.uk', 'www.mirror.co.uk', true],
    ['mirror.co.uk', 'evil.co.uk', false],
    ['mirror.com.au', 'evil.com.au', false],
    ['www.mirror.de', 'dl.mirror.de', true],
    ['mine.s3.amazonaws.com', 'evil.s3.amazonaws.com', false],
    ['mine.github.io', 'evil.github.io', false],
    ['mirror.example', 'dl.mirror.example', true],
  ];
  for (const [from, to, same] of named) {
    it(`is ${same ? 'followed' : 'refused'} from ${from} to ${to}`, async (t) => {
      namingSites(t);
      const site = await openSite(t, ({ url, headers }, response) => {
        if (url === '/end') response.end(BYTES);
        else response.writeHead(302, { location: `https://${headers.host?.replace(from, to)}/end` }).end();
      });
      const answer = fetchBytes(`${site.url.replace('127.0.0.1', from)}/`, OPTIONS);
      if (same) assert.deepEqual(await answer, BYTES);
      else await assert.rejects(answer, refused('download-failed', /which is another site/));
    });
  }
});
