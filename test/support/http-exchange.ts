import type { Socket } from 'node:net';

export interface Answer {
  status: number;
  /** Value of the `X-Nginx` header, or `unknown`. */
  version: string;
}

/** The status and the version once a whole answer (head, and body of the announced length) is there. */
export function parseAnswer(received: string): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = received.slice(0, end);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (received.length < end + 4 + length) return undefined;
  return { status: Number(head.split(' ')[1]), version: /^x-nginx: *(\S+)/im.exec(head)?.[1] ?? 'unknown' };
}

/**
 * Sends one request on `socket` and waits for the whole answer. Never retries.
 * The caller listens for errors too: one of an idle connection finds nobody here.
 * Rejects with the reason where the connection breaks, ends early or says nothing for `timeout` milliseconds.
 */
export function exchange(socket: Socket, request: { text: string; timeout: number }): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let received = '';
  const onData = (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const answer = parseAnswer(received);
    if (answer) resolve(answer);
  };
  const onError = (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message));
  const onEnd = () => reject(new Error(received === '' ? 'closed without an answer' : 'closed within the answer'));
  const timer = setTimeout(() => reject(new Error(`no answer within ${request.timeout} ms`)), request.timeout);
  socket.on('data', onData).on('error', onError).on('end', onEnd).on('close', onEnd);
  socket.write(request.text);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', onData).off('error', onError).off('end', onEnd).off('close', onEnd);
  });
}
