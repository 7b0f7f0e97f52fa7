import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { ProbeTarget } from './answer.ts';

/** Opens the probe's own TCP stream. Rejects with the dialler's error, or when the signal aborts. */
export function dial(target: ProbeTarget, signal: AbortSignal): Promise<Duplex> {
  const pending = target.dial === undefined ? connectDirectly(target.url, signal) : target.dial();
  return orAborted(pending, signal);
}

/** Wraps `stream` in TLS, always verified. Rejects with the handshake's error, or when the signal aborts. */
export async function secure(stream: Duplex, target: ProbeTarget, signal: AbortSignal): Promise<Duplex> {
  const tls = await import('node:tls');
  const name = certificateName(target);
  const socket = tls.connect({
    socket: stream,
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    secureContext: await authorities(target.ca),
    ALPNProtocols: ['http/1.1'],
    // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot switch it off
    rejectUnauthorized: true,
  });
  try {
    return await orAborted(handshake(socket), signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The name to ask for and to find in the certificate: that of the `Host` header, else the URL's. */
export function certificateName(target: Pick<ProbeTarget, 'url' | 'headers'>): string {
  const header = target.headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  const authority = header === undefined ? target.url.host : header.trim();
  return authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

const contexts = new Map<string | undefined, SecureContext>();

/** Reading the system's authorities takes 0.1 s, so every probe of a run shares what the first one read. */
export async function authorities(ca: string | undefined): Promise<SecureContext> {
  const known = contexts.get(ca);
  if (known !== undefined) return known;
  const tls = await import('node:tls');
  const trusted = ca === undefined ? systemAuthorities(tls) : [ca];
  const context = tls.createSecureContext(trusted.length === 0 ? {} : { ca: trusted });
  contexts.set(ca, context);
  return context;
}

/** Empty where there are none, or the runtime cannot read them: then those that come with the runtime count. */
function systemAuthorities(tls: typeof import('node:tls')): string[] {
  if (typeof tls.getCACertificates !== 'function') return [];
  const system = tls.getCACertificates('system');
  return system.length === 0 ? [] : [...new Set([...system, ...tls.getCACertificates('extra')])];
}

/** Where the TCP connection of a probe goes. */
export function endOf(url: URL): { host: string; port: number } {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function connectDirectly(url: URL, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ ...endOf(url), noDelay: true, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function handshake(socket: TLSSocket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed during the handshake')));
    socket.once('secureConnect', () => resolve(socket));
  });
}

/** A stream that opens after the caller has left is destroyed. */
function orAborted<T extends Duplex>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(new Error('given up'));
      pending.then(
        (stream) => stream.on('error', () => {}).destroy(),
        () => {},
      );
    };
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
