import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { certificateName } from '../../../src/health/connect.ts';
import { sendProbe } from '../../../src/health/request.ts';
import { dialAsChannel, makeCertificate, never, probeTarget, serveHttps, serveTcp } from './servers.ts';
import type { Certificate } from './servers.ts';

const forName = (name: string): [string, string][] => [['Host', name]];

describe('sendProbe over TLS', () => {
  let trusted: Certificate;
  let expired: Certificate;
  before(() => {
    trusted = makeCertificate();
    expired = makeCertificate({ expired: true });
  });

  test('trusts the given authority and takes SNI and name from the Host header', async (t) => {
    const asked: unknown[] = [];
    const port = await serveHttps(t, {
      ...trusted,
      listener: (request, response) => {
        asked.push('servername' in request.socket && request.socket.servername, request.headers.host);
        response.end('ok');
      },
    });
    const target = probeTarget(`https://127.0.0.1:${port}/`, { headers: forName('probe.test:8443'), ca: trusted.cert });
    assert.equal((await sendProbe(target, never)).kind, 'answer');
    assert.deepEqual(asked, ['probe.test', 'probe.test:8443']);
  });

  test('finds an address in the certificate where the URL has one', async (t) => {
    const port = await serveHttps(t, trusted);
    const target = probeTarget(`https://127.0.0.1:${port}/`, { ca: trusted.cert });
    assert.equal((await sendProbe(target, never)).kind, 'answer');
  });

  test('speaks TLS over a dialled stream that is no socket', async (t) => {
    const port = await serveHttps(t, trusted);
    const dial = () => dialAsChannel(port);
    const target = probeTarget('https://probe.test/', { dial, ca: trusted.cert });
    assert.equal((await sendProbe(target, never)).kind, 'answer');
  });

  test("trusts the system's authorities where none is given", async (t) => {
    const port = await serveHttps(t, trusted);
    const folder = await mkdtemp(join(tmpdir(), 'health-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'system.pem'), trusted.cert);
    const script = `
      import { sendProbe } from ${JSON.stringify(new URL('../../../src/health/request.ts', import.meta.url).href)};
      const target = { url: new URL('https://127.0.0.1:${port}/'), headers: [], timeout: 5000 };
      console.log((await sendProbe(target, new AbortController().signal)).kind);`;
    const env = { ...process.env, SSL_CERT_FILE: join(folder, 'system.pem') };
    const words = ['--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, words, { env, timeout: 30_000 });
    assert.equal(stdout.trim(), 'answer');
  });

  test('refuses another name, saying both', async (t) => {
    const port = await serveHttps(t, trusted);
    const target = probeTarget(`https://127.0.0.1:${port}/`, { headers: forName('other.test'), ca: trusted.cert });
    const answer = await sendProbe(target, never);
    assert.equal(answer.kind, 'tls');
    assert.match(answer.message, /other\.test.*probe\.test.*ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  test('refuses an expired certificate', async (t) => {
    const port = await serveHttps(t, expired);
    const answer = await sendProbe(probeTarget(`https://127.0.0.1:${port}/`, { ca: expired.cert }), never);
    assert.equal(answer.kind, 'tls');
    assert.match(answer.message, /CERT_HAS_EXPIRED/);
  });

  test('refuses a self-signed certificate, even where the environment switches verification off', async (t) => {
    const saved = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    t.after(() => {
      if (saved === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = saved;
    });
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    const port = await serveHttps(t, trusted);
    const answer = await sendProbe(probeTarget(`https://127.0.0.1:${port}/`), never);
    assert.equal(answer.kind, 'tls');
    assert.match(answer.message, /SELF_SIGNED/);
  });

  test('calls an outdated protocol a TLS failure', async (t) => {
    const port = await serveHttps(t, { ...trusted, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    const answer = await sendProbe(probeTarget(`https://127.0.0.1:${port}/`, { ca: trusted.cert }), never);
    assert.equal(answer.kind, 'tls');
  });

  test("calls a demanded client certificate the service's fault", async (t) => {
    const port = await serveHttps(t, { ...trusted, requestCert: true, rejectUnauthorized: true });
    const answer = await sendProbe(probeTarget(`https://127.0.0.1:${port}/`, { ca: trusted.cert }), never);
    assert.ok(answer.kind === 'tls' || answer.kind === 'protocol', answer.kind);
  });

  test('calls a port that does not speak TLS a TLS failure, and a silent one a time-out', async (t) => {
    const plain = await serveTcp(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = await serveTcp(t, () => {});
    const first = await sendProbe(probeTarget(`https://127.0.0.1:${plain}/`, { ca: trusted.cert }), never);
    assert.equal(first.kind, 'tls');
    const second = await sendProbe(
      probeTarget(`https://127.0.0.1:${silent}/`, { ca: trusted.cert, timeout: 100 }),
      never,
    );
    assert.equal(second.kind, 'timeout');
    assert.match(second.message, /in the TLS handshake/);
  });
});

describe('certificateName', () => {
  for (const [url, host, name] of [
    ['https://a.test:8443/', undefined, 'a.test'],
    ['https://[::1]:8443/', undefined, '::1'],
    ['https://127.0.0.1/', 'b.test', 'b.test'],
    ['https://127.0.0.1/', 'b.test:444', 'b.test'],
  ] as const) {
    test(`is ${name} for ${url} with Host ${host ?? 'not given'}`, () => {
      assert.equal(certificateName({ url: new URL(url), headers: host === undefined ? [] : forName(host) }), name);
    });
  }
});
