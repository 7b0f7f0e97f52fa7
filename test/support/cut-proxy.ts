import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface CutProxy {
  port: number;
  /** Ends every connection as a host that shuts down (`close`), a firewall (`reset`) or a pulled plug (`black-hole`). */
  cut(mode: CutMode): void;
  /** Connections accepted so far. */
  accepted(): number;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type CutMode = 'close' | 'reset' | 'black-hole';

export interface CutProxyOptions {
  /** Close so many connections as soon as they are accepted. */
  refuseFirst?: number;
  /** Pass on at most so many bytes a second from the client to the server. */
  uploadRate?: number;
}

/** A TCP proxy on a loopback port in front of `target`, whose link can be broken. */
export async function startCutProxy(target: number, options: CutProxyOptions = {}): Promise<CutProxy> {
  const pairs = new Set<[client: Socket, upstream: Socket]>();
  let accepted = 0;
  const server = createServer({ noDelay: true }, (client) => {
    accepted++;
    client.on('error', ignore);
    if (accepted <= (options.refuseFirst ?? 0)) client.destroy();
    else pairs.add(join(client, target, options));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port, found none');
  const stop = async (): Promise<void> => {
    for (const socket of [...pairs].flat()) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const cut = (mode: CutMode): void => {
    for (const pair of pairs) cutPair(pair, mode);
  };
  return { port: address.port, cut, accepted: () => accepted, stop, [Symbol.asyncDispose]: stop };
}

function join(client: Socket, target: number, options: CutProxyOptions): [client: Socket, upstream: Socket] {
  const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true });
  upstream.on('error', ignore);
  upstream.pipe(client);
  if (options.uploadRate === undefined) client.pipe(upstream);
  else void trickle(client, { to: upstream, rate: options.uploadRate });
  client.once('close', () => upstream.destroy());
  return [client, upstream];
}

async function trickle(from: Socket, way: { to: Socket; rate: number }): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      way.to.write(chunk);
      await pause((chunk.length / way.rate) * 1000);
    }
  } catch {
    way.to.destroy();
  }
}

function cutPair([client, upstream]: [client: Socket, upstream: Socket], mode: CutMode): void {
  upstream.unpipe(client);
  client.unpipe(upstream);
  if (mode === 'close') client.end();
  else if (mode === 'reset') client.resetAndDestroy();
  else for (const socket of [client, upstream]) socket.pause();
}

function ignore(): void {}
