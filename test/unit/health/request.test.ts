import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DialError } from '../../../src/connection/port.ts';
import { sendProbe } from '../../../src/health/request.ts';
import { closedPort, dialAsChannel, never, probeTarget, serveHttp, serveTcp } from './servers.ts';

describe('sendProbe', () => {
  test('brings back status and body', async (t) => {
    const port = await serveHttp(t, (_request, response) => response.writeHead(203).end('hello'));
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
    assert.equal(answer.kind, 'answer');
    assert.deepEqual([answer.status, answer.body.toString()], [203, 'hello']);
  });

  test('asks for the path and query of the URL, with the given headers before its own', async (t) => {
    const port = await serveHttp(t, ({ url, headers, method }, response) => {
      response.end(
        JSON.stringify({ method, url, host: headers.host, accept: headers.accept, connection: headers.connection }),
      );
    });
    const headers: [string, string][] = [
      ['Host', 'www.example.org'],
      ['accept', 'text/plain'],
    ];
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/a/b?c=d`, { headers }), never);
    assert.equal(answer.kind, 'answer');
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      method: 'GET',
      url: '/a/b?c=d',
      host: 'www.example.org',
      accept: 'text/plain',
      connection: 'close',
    });
  });

  test('uses a connection of its own each time and leaves none open', async (t) => {
    let [opened, closed] = [0, 0];
    const allClosed = Promise.withResolvers<void>();
    const port = await serveHttp(t, (request, response) => {
      opened += 1;
      request.socket.once('close', () => ++closed === 3 && allClosed.resolve());
      response.setHeader('Connection', 'keep-alive').end('ok');
    });
    for (let i = 0; i < 3; i++) await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
    await allClosed.promise;
    assert.deepEqual([opened, closed], [3, 3]);
  });

  test('goes through the given dialler, whose stream need not be a socket', async (t) => {
    const port = await serveHttp(t, (_request, response) => response.end('through'));
    const target = probeTarget('http://nowhere.invalid/', { dial: () => dialAsChannel(port) });
    const answer = await sendProbe(target, never);
    assert.equal(answer.kind, 'answer');
    assert.equal(answer.body.toString(), 'through');
  });

  test('does not follow a redirect', async (t) => {
    const asked: unknown[] = [];
    const port = await serveHttp(t, (request, response) => {
      asked.push(request.url);
      response.writeHead(302, { Location: '/elsewhere' }).end();
    });
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
    assert.equal(answer.kind === 'answer' && answer.status, 302);
    assert.deepEqual(asked, ['/']);
  });

  test('does not inflate a compressed body', async (t) => {
    const member = gzipSync(Buffer.alloc(10 * 1024 * 1024), { level: 9 });
    const bomb = Buffer.concat(Array.from({ length: 20 }, () => member));
    assert.ok(bomb.length < 256 * 1024, `${bomb.length} bytes that would become 200 MiB`);
    const port = await serveHttp(t, (_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb);
    });
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
    assert.equal(answer.kind === 'answer' && answer.body.length, bomb.length);
  });

  test('takes a body of 1 MiB and stops at an endless one', async (t) => {
    const port = await serveHttp(t, (request, response) => {
      if (request.url === '/limit') return response.end(Buffer.alloc(1024 * 1024));
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65536)));
      };
      response.on('drain', more);
      return more();
    });
    const whole = await sendProbe(probeTarget(`http://127.0.0.1:${port}/limit`), never);
    assert.equal(whole.kind === 'answer' && whole.body.length, 1024 * 1024);
    const endless = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
    assert.equal(endless.kind, 'too-large');
  });

  for (const [what, begin] of [
    ['a server that never answers', ''],
    ['a body that trickles', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
    ['headers that trickle', 'HTTP/1.1 200 OK\r\nX-Slow: '],
  ] as const) {
    test(`gives ${what} no longer than the one deadline`, async (t) => {
      const port = await serveTcp(t, (socket) => {
        socket.write(begin);
        const timer = setInterval(() => begin !== '' && socket.write('x'), 20);
        socket.once('close', () => clearInterval(timer));
      });
      const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`, { timeout: 150 }), never);
      assert.equal(answer.kind, 'timeout');
      assert.match(answer.message, /no full answer within 150 ms; time ran out while waiting for the whole answer/);
      assert.ok(answer.ms >= 149 && answer.ms < 350, `${answer.ms} ms`);
    });
  }

  test('waits for a slow first byte within the deadline', async (t) => {
    const port = await serveHttp(t, (_request, response) => void setTimeout(() => response.end('late'), 100));
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
    assert.equal(answer.kind, 'answer');
    assert.ok(answer.ms >= 99);
  });

  test('counts dialling towards the deadline and destroys what is dialled too late', async (t) => {
    const port = await serveTcp(t, () => {});
    const late = Promise.withResolvers<ReturnType<typeof connect>>();
    const target = probeTarget('http://x/', { timeout: 50, dial: () => late.promise });
    const answer = await sendProbe(target, never);
    assert.equal(answer.kind, 'timeout');
    assert.match(answer.message, /time ran out while connecting/);
    const socket = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    late.resolve(socket);
    await closed;
  });

  for (const [what, reply] of [
    ['a connection closed without an answer', ''],
    ['an answer cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['something that is not HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ] as const) {
    test(`calls ${what} a protocol failure, and tries it once only`, async (t) => {
      let connections = 0;
      const port = await serveTcp(t, (socket) => {
        connections += 1;
        socket.once('data', () => socket.end(reply));
      });
      const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), never);
      assert.equal(answer.kind, 'protocol');
      assert.match(answer.message, /^no complete HTTP answer: /);
      assert.equal(connections, 1);
    });
  }

  test('calls a connection that is closed before the request went out a protocol failure', async () => {
    let dialled = 0;
    const dial = async () => {
      dialled += 1;
      const stream = await dialAsChannel(await closedPortOpenedOnce());
      stream.destroy();
      return stream;
    };
    const answer = await sendProbe(probeTarget('http://x/', { dial }), never);
    assert.equal(answer.kind, 'protocol');
    assert.equal(dialled, 1);
  });

  test('calls a port without a listener refused', async () => {
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${await closedPort()}/`), never);
    assert.equal(answer.kind, 'refused');
    assert.match(answer.message, /ECONNREFUSED/);
  });

  test('calls a name that the runner cannot resolve inconclusive', async () => {
    const answer = await sendProbe(probeTarget('http://nowhere.invalid/', { timeout: 20_000 }), never);
    assert.deepEqual([answer.kind, answer.kind === 'inconclusive' && answer.cause], ['inconclusive', 'network']);
  });

  for (const { kind, expected, message } of [
    { kind: 'refused', expected: ['refused'], message: /^nobody there$/ },
    { kind: 'lost', expected: ['inconclusive', 'lost'], message: /^nobody there$/ },
    {
      kind: 'denied',
      expected: ['inconclusive', 'denied'],
      message: /^forwarding-denied: nobody there; health-from: runner/,
    },
  ] as const) {
    test(`tells a dialler's "${kind}" as ${expected.join(', ')}`, async () => {
      const target = probeTarget('http://x/', { dial: () => Promise.reject(new DialError(kind, 'nobody there')) });
      const answer = await sendProbe(target, never);
      assert.ok(answer.kind === 'refused' || answer.kind === 'inconclusive');
      assert.deepEqual([answer.kind, ...('cause' in answer ? [answer.cause] : [])], expected);
      assert.match(answer.message, message);
    });
  }

  test('concludes nothing from an answer that broke off because the link to the target was lost', async (t) => {
    const link = new AbortController();
    const port = await serveTcp(t, (socket) => {
      socket.once('data', () => {
        socket.destroy();
        link.abort(new Error('connection reset'));
      });
    });
    const target = probeTarget('http://x/', { dial: () => dialAsChannel(port), lost: link.signal });
    const answer = await sendProbe(target, never);
    assert.equal(answer.kind === 'inconclusive' && answer.cause, 'lost');
  });

  test('stops when told to, and concludes nothing', async (t) => {
    const caller = new AbortController();
    const port = await serveTcp(t, (socket) => socket.once('data', () => caller.abort()));
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), caller.signal);
    assert.equal(answer.kind === 'inconclusive' && answer.cause, 'stopped');
    const another = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`), caller.signal);
    assert.equal(another.kind === 'inconclusive' && another.cause, 'stopped');
  });

  test('concludes nothing from a request that cannot be sent', async (t) => {
    const port = await serveHttp(t, (_request, response) => response.end());
    const headers: [string, string][] = [['Upgrade', 'websocket']];
    const answer = await sendProbe(probeTarget(`http://127.0.0.1:${port}/`, { headers }), never);
    assert.equal(answer.kind === 'inconclusive' && answer.cause, 'request');
  });
});

async function closedPortOpenedOnce(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer((socket) => {
    socket.resume();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
