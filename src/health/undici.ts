import type { Client, Dispatcher } from 'undici';

/** What a probe needs of undici. */
export interface Undici {
  Client: typeof Client;
  request: (client: Client, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;
}

/**
 * undici's own client and `request`, without fetch, caches, mocks and WebSockets: loading those takes half of the time
 * and is of no use here. The version is pinned, and the probes' tests fail where these two modules move.
 */
export async function loadUndici(): Promise<Undici> {
  const [{ default: client }, { default: request }] = await Promise.all([
    import('undici/lib/dispatcher/client.js'),
    import('undici/lib/api/api-request.js'),
  ]);
  return { Client: client, request: (using, options) => request.call(using, options) };
}
