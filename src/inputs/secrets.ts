import { numberedLines } from './list.ts';

/** Shorter ones cannot be masked without masking half the log. */
export const SHORTEST_SECRET = 4;

const CREDENTIAL_HEADER = /auth|cookie|token|secret|key|passw|session|signature|credential/i;
const URL_INPUTS = ['health-url', 'download-url', 'source-url', 'add-modules'];

/**
 * Every text that must be masked wherever it appears: key lines, passphrase, values of credential headers and of
 * credentials in URLs, each also JSON-escaped, URL-encoded and base64-encoded. Never throws, whatever the inputs are.
 */
export function secretsOf(raw: ReadonlyMap<string, string>): string[] {
  const whole = [
    ...keyParts(raw.get('key') ?? ''),
    (raw.get('passphrase') ?? '').replace(/\r?\n$/, ''),
    ...headerSecrets(raw.get('health-headers') ?? ''),
    ...URL_INPUTS.flatMap((name) => urlSecrets(raw.get(name) ?? '')),
  ];
  const forms = whole.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(formsOf);
  return [...new Set(forms)];
}

/** True where a header of this name usually carries a credential. */
export function isCredentialHeader(name: string): boolean {
  return CREDENTIAL_HEADER.test(name);
}

function keyParts(key: string): string[] {
  const lines = key.split(/\r\n|\r|\n|\\n/).map((line) => line.trim());
  const telling = lines.filter((line) => line.length >= 8 && !/^-----(?:BEGIN|END)[^-]*-----$/.test(line));
  return [key.trim(), ...telling];
}

function headerSecrets(text: string): string[] {
  return numberedLines(text).flatMap(({ line }) => {
    const [, name = '', value = ''] = /^([^:]*):(.*)$/s.exec(line) ?? ['', '', line];
    if (name !== '' && !isCredentialHeader(name)) return [];
    const credential = value.trim();
    const [, scheme = '', token = ''] = /^([A-Za-z]+)\s+(.+)$/s.exec(credential) ?? [];
    return [credential, token, ...(scheme.toLowerCase() === 'basic' ? basicSecrets(token) : [])];
  });
}

function basicSecrets(token: string): string[] {
  const pair = Buffer.from(token, 'base64').toString();
  return [pair, pair.slice(pair.indexOf(':') + 1)];
}

function urlSecrets(urls: string): string[] {
  return [...urls.matchAll(/[a-z]:\/*([^/\s]*)@/gi)].flatMap(([, credentials = '']) => [
    credentials,
    credentials.slice(credentials.indexOf(':') + 1),
  ]);
}

function formsOf(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    Buffer.from(secret).toString('base64'),
  ];
}
