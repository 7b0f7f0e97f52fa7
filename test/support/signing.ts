/**
 * What signers of releases make, made by gpg once for all tests: its home and its agent are gone before the first of
 * them starts.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArmorKind } from '../../src/source/armor.ts';

export interface Key {
  user: string;
  fingerprint: string;
  armored: string;
  /** Milliseconds since the epoch, as gpg says it; undefined: never. */
  expires: number | undefined;
}

/** A key with a signature of the tarball. */
export interface Signer extends Key {
  /** Armored. */
  signature: string;
}

interface Made {
  home: string;
  user: string;
}

const CREATED_IN_2020 = ['--faked-system-time', '20200101T000000'];
const SIGNED_IN_2020 = ['--faked-system-time', '20200201T000000'];

/** The source of a release, as far as anybody here looks into it. */
export const TARBALL = inFolder((folder) => {
  mkdirSync(join(folder, 'nginx-1.30.4'));
  writeFileSync(join(folder, 'nginx-1.30.4', 'configure'), '#!/bin/sh\n');
  return execFileSync('tar', ['-C', folder, '-czf', '-', 'nginx-1.30.4']);
});

export const MADE = inFolder((home) => {
  try {
    return makeAll(home);
  } finally {
    execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  }
});

/** The signature of `release`, made to name another key as its maker: without that key nobody can tell. */
export function claimedBy(fingerprint: string, { idOnly = false } = {}): Buffer {
  const bytes = Buffer.from(MADE.signatures.binary);
  const own = Buffer.from(MADE.release.fingerprint, 'hex');
  const at = bytes.indexOf(own);
  bytes.write(fingerprint, at, 'hex');
  bytes.write(fingerprint.slice(-16), bytes.indexOf(own.subarray(-8)), 'hex');
  // Signatures by GnuPG before 2.2 name no fingerprint; what is of this type (RFC 9580, section 5.2.3.7) is passed over.
  if (idOnly) bytes[at - 2] = 100;
  return bytes;
}

export function armor(kind: ArmorKind, bytes: Buffer): string {
  return `-----BEGIN PGP ${kind}-----\n\n${bytes.toString('base64')}\n-----END PGP ${kind}-----\n`;
}

function makeAll(home: string) {
  const release = makeKey(home, 'Release <release@example.org>', { algorithm: 'rsa2048' });
  const other = makeKey(home, 'Other <other@example.org>');
  return {
    /** Of RSA, like those of nginx's signers; never expires. */
    release: signed(release),
    other: signed(other),
    /** Both keys in one block. */
    releaseAndOther: exportKeys(home, release.user, other.user),
    secret: text(home, ['--armor', '--export-secret-keys', release.user]),
    ...ofAgedKeys(home),
    ...ofUnusualKeys(home, release),
    signatures: {
      binary: gpg(home, ['--local-user', release.user, '--detach-sign'], TARBALL),
      ofAnotherFile: sign(release, { file: Buffer.from('another file') }),
      byTwo: text(
        home,
        ['--local-user', release.user, '--local-user', other.user, '--armor', '--detach-sign'],
        TARBALL,
      ),
      ofMd5: sign(release, { options: ['--digest-algo', 'MD5'] }),
      aroundText: text(home, ['--local-user', release.user, '--clearsign'], Buffer.from('nginx 1.30.4 is out\n')),
      withFile: text(home, ['--local-user', release.user, '--armor', '--sign'], TARBALL),
    },
  };
}

function ofAgedKeys(home: string) {
  const aged = makeKey(home, 'Aged <aged@example.org>', { options: CREATED_IN_2020, expires: '2020-06-01' });
  const signature = sign(aged, { options: SIGNED_IN_2020 });
  const ofLimitedTime = sign(aged, { options: [...SIGNED_IN_2020, '--default-sig-expire', '1d'] });
  const expired = { ...exported(aged), signature };
  gpg(home, ['--quick-set-expire', expired.fingerprint, '0']);
  return {
    /** Signed in time. */
    expired,
    /** The same key, of which its owner says now that it never expires. */
    renewed: { ...exported(aged), signature, ofLimitedTime },
    /** Within the months ahead of which people are warned. */
    soon: signed(makeKey(home, 'Soon <soon@example.org>', { expires: '170d' })),
    later: signed(makeKey(home, 'Later <later@example.org>', { expires: '190d' })),
  };
}

function ofUnusualKeys(home: string, release: Made) {
  const revoked = makeKey(home, 'Revoked <revoked@example.org>');
  const signature = sign(revoked);
  revoke(revoked);
  const certified = makeKey(home, 'Certified <certified@example.org>', { expires: '400d' });
  gpg(home, ['--local-user', release.user, '--quick-sign-key', exported(certified).fingerprint]);
  const parent = makeKey(home, 'Parent <parent@example.org>', { usage: 'cert' });
  gpg(home, ['--quick-add-key', exported(parent).fingerprint, 'ed25519', 'sign', '100d']);
  return {
    revoked: { ...exported(revoked), signature },
    /** Another key says that this one belongs to whom it names. */
    certified: exported(certified),
    /** Signs with a part of it, which expires although the key does not. */
    parent: signed(parent),
  };
}

interface KeyOptions {
  algorithm?: string;
  usage?: string;
  expires?: string;
  options?: string[];
}

function makeKey(home: string, user: string, { algorithm, usage, expires, options = [] }: KeyOptions = {}): Made {
  gpg(home, [...options, '--quick-gen-key', user, algorithm ?? 'ed25519', usage ?? 'sign', expires ?? 'never']);
  return { home, user };
}

/** By the certificate that gpg makes with every key, and spoils with a colon lest it be used by mistake. */
function revoke(key: Made): void {
  const file = join(key.home, 'openpgp-revocs.d', `${exported(key).fingerprint}.rev`);
  gpg(key.home, ['--import'], Buffer.from(readFileSync(file, 'latin1').replace(':-----BEGIN', '-----BEGIN')));
}

function signed(key: Made): Signer {
  return { ...exported(key), signature: sign(key) };
}

function sign({ home, user }: Made, { file = TARBALL, options = [] }: { file?: Buffer; options?: string[] } = {}) {
  return text(home, [...options, '--local-user', user, '--armor', '--detach-sign'], file);
}

/** `--with-colons` is described in GnuPG's doc/DETAILS. */
function exported({ home, user }: Made): Key {
  const records = text(home, ['--with-colons', '--list-keys', user])
    .split('\n')
    .map((line) => line.split(':'));
  const field = (type: string, index: number) => records.find(([found]) => found === type)?.[index] ?? '';
  const expires = field('pub', 6);
  return {
    user,
    fingerprint: field('fpr', 9),
    armored: exportKeys(home, user),
    expires: expires === '' ? undefined : Number(expires) * 1000,
  };
}

function exportKeys(home: string, ...users: string[]): string {
  return text(home, ['--armor', '--export', ...users]);
}

function text(home: string, args: string[], input?: Buffer): string {
  return gpg(home, args, input).toString('latin1');
}

function gpg(home: string, args: string[], input: Buffer = Buffer.alloc(0)): Buffer {
  const silent = ['--batch', '--quiet', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', ''];
  return execFileSync('gpg', ['--homedir', home, ...silent, ...args], { input, stdio: 'pipe' });
}

function inFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'nhu-test-'));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
