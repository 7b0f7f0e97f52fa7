import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostKeyPolicy } from '../../../src/ssh/host-key-policy.ts';
import type { HostKeyPolicy } from '../../../src/ssh/host-key-policy.ts';
import { parseKnownHosts } from '../../../src/ssh/known-hosts.ts';
import type { KnownHost } from '../../../src/ssh/known-hosts.ts';
import { fakeKey } from '../../support/host-keys.ts';

const ed25519 = fakeKey('ssh-ed25519');
const ecdsa = fakeKey('ecdsa-sha2-nistp256');
const rsa = fakeKey('ssh-rsa');
const stranger = fakeKey('ssh-ed25519');
const web1 = { name: 'web1', port: 22 };
const MODERN = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

describe('hostKeyPolicy', () => {
  it('trusts a key on record and answers synchronously', () => {
    const verdict: unknown = policy(`web1 ${ed25519.line}`).judge(ed25519.blob);
    assert.deepEqual(verdict, { ok: true });
  });

  it('offers only the key types on record, RSA with SHA-2 alone', () => {
    assert.deepEqual(policy(`web1 ${rsa.line}`).algorithms, ['rsa-sha2-512', 'rsa-sha2-256']);
    assert.deepEqual(policy(`web1 ${rsa.line}\nweb1 ${ecdsa.line}\nweb2 ${ed25519.line}`).algorithms, [
      'ecdsa-sha2-nistp256',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ]);
  });

  it('offers every modern type where there are only pins, or nothing on record', () => {
    assert.deepEqual(hostKeyPolicy({ pins: [rsa.fingerprint] }, web1).algorithms, MODERN);
    assert.deepEqual(policy(`web2 ${rsa.line}`).algorithms, MODERN);
    assert.deepEqual(policy(`web1 ${fakeKey('ssh-dss').line}\nweb2 ${rsa.line}`).algorithms, MODERN);
  });

  it('prints both fingerprints and the line on a mismatch', () => {
    const message = objection(policy(`# hosts\nweb1 ${ed25519.line}`), stranger.blob);
    assert.ok(message.includes(`expected ${ed25519.fingerprint} (ssh-ed25519), known-hosts line 2`));
    assert.ok(message.includes(`found ${stranger.fingerprint} (ssh-ed25519)`));
    assert.match(message, /ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub/);
  });

  it('prints what was looked up and how to verify the key of an unknown host', () => {
    const other = hostKeyPolicy(
      { knownHosts: entries(`web2 ${ed25519.line}`), pins: [] },
      { name: 'web1', port: 2222 },
    );
    const message = objection(other, rsa.blob);
    assert.match(message, /looked up: \[web1\]:2222/);
    assert.ok(message.includes(`The server shows ${rsa.fingerprint} (ssh-rsa)`));
    assert.match(message, /ssh_host_rsa_key\.pub` prints on the host itself, reached another way/);
  });

  it('names a line about another port of the same host', () => {
    for (const pattern of ['web1', '[web1]:2022']) {
      const known = entries(`web2 ${rsa.line}\n${pattern} ${ed25519.line}`);
      const message = objection(
        hostKeyPolicy({ knownHosts: known, pins: [] }, { name: 'web1', port: 2222 }),
        ed25519.blob,
      );
      assert.match(message, /Line 2 is about the same name at another port/);
    }
  });

  it('refuses a revoked key before all else', () => {
    const text = `web1 ${ed25519.line}\n@revoked * ${ed25519.line}`;
    const trust = { knownHosts: entries(text), pins: [ed25519.fingerprint] };
    assert.match(objection(hostKeyPolicy(trust, web1), ed25519.blob), /is revoked: known-hosts line 2 \(@revoked\)/);
  });

  it('says that an authority is unsupported, not that the host is unknown to everybody', () => {
    const text = `web2 ${ed25519.line}\n@cert-authority web* ${ecdsa.line}`;
    assert.match(objection(policy(text), rsa.blob), /Line 2 names a @cert-authority for it, which is unsupported/);
  });

  it('trusts a pinned key whatever its type', () => {
    const pinned = hostKeyPolicy({ pins: [stranger.fingerprint, rsa.fingerprint] }, web1);
    assert.deepEqual(pinned.judge(rsa.blob), { ok: true });
    const message = objection(pinned, ed25519.blob);
    assert.ok(message.includes(`expected ${stranger.fingerprint} or ${rsa.fingerprint} (input fingerprint)`));
    assert.ok(message.includes(`found ${ed25519.fingerprint} (ssh-ed25519)`));
  });

  it('demands that pins and known_hosts agree where both are given', () => {
    const knownHosts = entries(`web1 ${ed25519.line}`);
    const agreeing = hostKeyPolicy({ knownHosts, pins: [ed25519.fingerprint] }, web1);
    assert.deepEqual(agreeing.judge(ed25519.blob), { ok: true });
    const disagreeing = hostKeyPolicy({ knownHosts, pins: [stranger.fingerprint] }, web1);
    assert.match(
      objection(disagreeing, ed25519.blob),
      /known-hosts has this key, but where both are given both must agree/,
    );
    assert.match(objection(disagreeing, stranger.blob), /not the one on record.*both must agree/);
  });

  it('trusts nobody where nothing was given', () => {
    assert.match(objection(hostKeyPolicy({ pins: [] }, web1), ed25519.blob), /vouches for this host/);
    assert.match(objection(hostKeyPolicy({ knownHosts: [], pins: [] }, web1), ed25519.blob), /vouches for this host/);
  });

  it('survives a server that sends nonsense for a key', () => {
    for (const blob of [Buffer.alloc(0), Buffer.from('nonsense'), Buffer.from('\0\0\0\x04\x1b[2J')]) {
      const message = objection(policy(`web1 ${ed25519.line}`), blob);
      assert.match(message, /\(unknown type\)/);
      assert.ok(!message.includes('\x1b'));
    }
  });
});

function entries(text: string): KnownHost[] {
  const parsed = parseKnownHosts(text);
  assert.deepEqual(parsed.problems, []);
  return parsed.entries;
}

function policy(text: string): HostKeyPolicy {
  return hostKeyPolicy({ knownHosts: entries(text), pins: [] }, web1);
}

function objection(judge: HostKeyPolicy, key: Buffer): string {
  const verdict = judge.judge(key);
  assert.ok(!verdict.ok);
  return verdict.message;
}
