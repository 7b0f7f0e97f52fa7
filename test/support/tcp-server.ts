import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface TcpServer extends AsyncDisposable {
  port: number;
  /** Connections that are open now. */
  open(): number;
}

/** A server on a free loopback port that does nothing but `onSocket`; disposing of it ends its connections too. */
export async function listening(onSocket: (socket: Socket) => void): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port, found none');
  return {
    port: address.port,
    open: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers in capitals and ends when the client does. */
export function shouting(): Promise<TcpServer> {
  return listening((socket) => socket.on('data', (chunk) => socket.write(chunk.toString().toUpperCase())));
}
