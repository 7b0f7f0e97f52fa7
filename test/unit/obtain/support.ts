import dns from 'node:dns';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, type TestContext } from 'node:test';
import tls, { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Certificate, makeCertificate, serveHttps } from '../health/servers.ts';

const root = mkdtempSync(join(tmpdir(), 'nhu-obtain-'));
after(() => rmSync(root, { recursive: true }));

/** An empty folder that is gone after the tests. */
export function folder(): string {
  return mkdtempSync(join(root, 'folder-'));
}

/** Writes files below `directory`, by their relative names; a program where it is called bin/nginx or sbin/nginx. */
export function plant(directory: string, files: Record<string, string | Buffer>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode: name.endsWith('bin/nginx') ? 0o755 : 0o644 });
  }
  return directory;
}

/** Puts these variables back after each test of the suite. */
export function restoring(...names: string[]): void {
  let saved: [name: string, value: string | undefined][] = [];
  beforeEach(() => {
    saved = names.map((name) => [name, process.env[name]]);
  });
  afterEach(() => {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

/** Gives each test of the suite a tool cache of its own, as a runner does. */
export function usingOwnToolCache(): void {
  restoring('RUNNER_TOOL_CACHE', 'RUNNER_TEMP', 'XDG_STATE_HOME');
  beforeEach(() => {
    process.env['RUNNER_TOOL_CACHE'] = folder();
    process.env['XDG_STATE_HOME'] = folder();
  });
}

/** An expectation for `assert.rejects`. */
export function refused(code: string, why: RegExp): { name: string; message: RegExp } {
  return { name: 'Refused', message: new RegExp(`^${code}: .*(?:${why.source})`, `s${why.flags}`) };
}

let certificate: Certificate;

/** Lets this process trust the sites below while the suite runs. */
export function trustingSites(): void {
  let known: string[] = [];
  before(() => {
    certificate ??= makeCertificate();
    known = getCACertificates('default');
    setDefaultCACertificates([...known, certificate.cert]);
  });
  after(() => setDefaultCACertificates(known));
}

/** Leads every name to this machine for one test, and has its certificate count for all of them. */
export function namingSites(t: TestContext): void {
  const answer = (_name: string, _options: object, done: (error: null, found: dns.LookupAddress[]) => void): void =>
    done(null, [{ address: '127.0.0.1', family: 4 }]);
  t.mock.method(dns, 'lookup', answer as never);
  t.mock.method(tls, 'checkServerIdentity', () => undefined);
}

export interface Site {
  /** Without a slash at its end. */
  url: string;
  /** The paths that were asked for. */
  asked: string[];
}

export async function openSite(t: TestContext, answer: RequestListener): Promise<Site> {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  };
  return { url: `https://127.0.0.1:${await serveHttps(t, { ...certificate, listener })}`, asked };
}
