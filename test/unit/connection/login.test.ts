import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { SshSettings } from '../../../src/config.ts';
import { prepareLogin } from '../../../src/connection/login.ts';

const ssh = { fingerprints: [], connectTimeout: 1_000 };
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
}).privateKey;

describe('prepareLogin', () => {
  it('tries the one method once, notes what the server allows, and then ends the login', () => {
    const { login, method } = prepared({ ...ssh, key: rsa, agent: '/run/agent' });
    assert.equal(method.type, 'publickey');
    assert.match(login.offered, /^the given key \(ssh-rsa, SHA256:.{43}\)$/);
    assert.equal(next(login.handler, ['publickey', 'password'], true), false);
    assert.deepEqual(
      { allowed: login.allowed, partial: login.partial },
      { allowed: ['publickey', 'password'], partial: true },
    );
  });

  it('signs with an RSA key by SHA-2 only', () => {
    const { method } = prepared({ ...ssh, key: rsa });
    const key = signer(method['key']);
    assert.ok(Buffer.isBuffer(key.sign(Buffer.from('data'), 'sha256')));
    assert.throws(() => void key.sign(Buffer.from('data'), 'sha1'), /SHA-1 signatures only, which are refused/);
  });

  it('asks an agent for no SHA-1 signature', () => {
    const { method } = prepared({ ...ssh, agent: '/nowhere' });
    const agent = signer(method['agent']);
    const errors: unknown[] = [];
    agent.sign('key', Buffer.from('data'), { hash: 'sha1' }, (error: unknown) => errors.push(error));
    assert.match(String(errors[0]), /SHA-1 signatures only/);
  });

  it('says that a key cannot be read, without repeating it, and that there is nothing to log in with', () => {
    const unreadable = sentence({ ...ssh, key: 'canary-secret' });
    assert.match(unreadable, /^expected a private key that can be read; found /);
    assert.ok(!unreadable.includes('canary'));
    assert.match(sentence(ssh), /found neither/);
    assert.match(sentence({ ...ssh, agent: '' }), /found neither/);
  });
});

type Prepared = Exclude<ReturnType<typeof prepareLogin>, string>;

function prepared(settings: SshSettings): { login: Prepared; method: Record<string, unknown> } {
  const login = prepareLogin('deploy', settings);
  assert.ok(typeof login !== 'string');
  const method = next(login.handler, null, null);
  assert.ok(typeof method === 'object' && method !== null);
  return { login, method: { ...method } };
}

interface Signer {
  sign(...args: unknown[]): unknown;
}

function signer(value: unknown): Signer {
  assert.ok(isSigner(value));
  return value;
}

function isSigner(value: unknown): value is Signer {
  return typeof value === 'object' && value !== null && 'sign' in value && typeof value.sign === 'function';
}

function sentence(settings: SshSettings): string {
  const login = prepareLogin('deploy', settings);
  assert.ok(typeof login === 'string');
  return login;
}

/** As ssh2 calls it: the types leave out the null of the first call and the answer. */
function next(handler: Prepared['handler'], allowed: string[] | null, partial: boolean | null): unknown {
  return Reflect.apply(handler, undefined, [allowed, partial]);
}
