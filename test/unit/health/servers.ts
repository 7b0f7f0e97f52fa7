import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import type { HealthSettings } from '../../../src/config.ts';
import type { ProbeTarget } from '../../../src/health/answer.ts';

export interface Certificate {
  key: string;
  cert: string;
}

/** Self-signed for `probe.test` and 127.0.0.1, so that it is its own authority. */
export function makeCertificate(options: { expired?: boolean } = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'health-'));
  const openssl = (words: string): void =>
    void execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'pipe' });
  try {
    openssl(
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -days 2 -subj /CN=probe ' +
        '-addext subjectAltName=DNS:probe.test,IP:127.0.0.1',
    );
    if (options.expired === true) openssl('x509 -in cert -signkey key -days -1 -out cert');
    return { key: readFileSync(join(folder, 'key'), 'utf8'), cert: readFileSync(join(folder, 'cert'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function serveHttp(t: TestContext, listener: RequestListener): Promise<number> {
  return listen(t, createServer(listener));
}

export function serveHttps(t: TestContext, { listener, ...options }: ServerOptions & { listener?: RequestListener }) {
  return listen(t, createHttpsServer(options, listener ?? ((_request, response) => response.end('ok'))));
}

export function serveTcp(t: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  return listen(t, createTcpServer(onSocket));
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** As a connection through SSH looks: a Duplex that is no socket. */
export async function dialAsChannel(port: number): Promise<Duplex> {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const [inner, outer] = duplexPair();
  inner.on('error', () => {});
  socket.on('error', () => {});
  socket.pipe(inner).pipe(socket);
  outer.once('close', () => socket.destroy());
  socket.once('close', () => outer.destroy());
  return outer;
}

export function probeTarget(url: string, options: Partial<ProbeTarget> = {}): ProbeTarget {
  return { url: new URL(url), headers: [], timeout: 2000, ...options };
}

export function healthSettings(options: Partial<HealthSettings> = {}): HealthSettings {
  return {
    url: 'http://127.0.0.1/',
    from: 'target',
    status: [{ from: 200, to: 399 }],
    headers: [],
    interval: 1000,
    timeout: 2000,
    successes: 1,
    failureLimit: 0,
    ...options,
  };
}

export const never = new AbortController().signal;

async function listen(t: TestContext, server: Server | HttpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

function portOf(server: Server | HttpServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP server');
  return address.port;
}
