import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Millis } from '../config.ts';
import { unpackSource } from '../obtain/archive.ts';
import { fetchBytes, fetchOrNothing, type FetchOptions, sha256Of } from '../obtain/fetch.ts';
import type { Refused } from '../errors.ts';
import { refuse } from '../obtain/refusal.ts';
import type { Finding } from '../report/result.ts';
import { type Mirror, urlOf } from './mirror.ts';
import { longestFirst, type PublicKey, readPublicKeys } from './public-key.ts';
import { keyOnBoard, NGINX_SIGNERS, REPOSITORY_KEYS, type Signer } from './signers.ts';
import { readSignature, verify, type Verdict } from './signature.ts';

/** Who or what vouches for a tarball. Where both are given, both must hold. */
export interface Trust {
  /** Of the tarball; lower-case hexadecimal. */
  sha256?: string;
  /** The user's own; without them, and without a digest, nginx's release signers are trusted. */
  keys?: PublicKey[];
}

export interface Release {
  version: string;
  bytes: Buffer;
  sha256: string;
  /** How it was found good, as a clause. */
  vouched: string;
  warnings: Finding[];
}

const DEADLINE: Millis = 300_000;
const SOURCE_LIMIT = 64 * 1024 * 1024;
const SMALL = 1024 * 1024;

/** Fetches a release and has it vouched for, before anybody looks into it. Throws Refused. */
export async function fetchRelease(version: string, given: { mirror: Mirror; trust: Trust }): Promise<Release> {
  const { mirror, trust } = given;
  const url = urlOf(mirror, version);
  const bytes = await fetchBytes(url, {
    what: `the source of nginx ${version}`,
    limit: SOURCE_LIMIT,
    deadline: DEADLINE,
  });
  const sha256 = sha256Of(bytes);
  const digest = trust.sha256 === undefined ? [] : [checkDigest({ url, sha256, wanted: trust.sha256 })];
  const needsSignature = trust.keys !== undefined || trust.sha256 === undefined;
  const signed = needsSignature ? await checkSignature({ url, bytes, mirror, keys: trust.keys }) : undefined;
  const vouched = [...digest, ...(signed === undefined ? [] : [signed.clause])].join(' and ');
  return { version, bytes, sha256, vouched, warnings: signed?.warnings ?? [] };
}

export async function unpackRelease(release: Release, into: string): Promise<void> {
  await unpackSource({ bytes: release.bytes, what: `the source of nginx ${release.version}` }, into);
}

function checkDigest({ url, sha256, wanted }: { url: string; sha256: string; wanted: string }): string {
  if (sha256 === wanted) return `sha256 ${sha256} as given`;
  const page = 'A page that says something else may have been answered instead, or the file was changed.';
  throw refuse(
    'digest-mismatch',
    `${url} has the digest ${sha256}, expected ${wanted}`,
    `Compare both with the digest that its author publishes. ${page}`,
  );
}

interface Signed {
  url: string;
  bytes: Buffer;
  mirror: Mirror;
  keys: PublicKey[] | undefined;
}

/** The signature beside the tarball must be good by one of the keys that count. */
async function checkSignature(signed: Signed): Promise<{ clause: string; warnings: Finding[] }> {
  const { url, bytes, mirror } = signed;
  const signature = await signatureOf(url);
  const own = signed.keys;
  const keys = own ?? NGINX_SIGNERS.map(keyOnBoard);
  const check = (those: PublicKey[]) => verifyBytes(bytes, { signature, keys: those });
  let verdict = await check(keys);
  const pinned = own === undefined ? signerBehind(verdict) : undefined;
  const fetched = pinned === undefined ? undefined : await keyFrom(mirror, pinned);
  if (fetched !== undefined) verdict = await check([fetched]);
  else if (pinned !== undefined && verdict.kind === 'unknown-signer') throw keyNotHere(pinned, { url, mirror });
  if (verdict.kind !== 'good') throw refusalOf(verdict, { url, own: own !== undefined });
  const { fingerprint } = verdict;
  const known = [...(fetched === undefined ? [] : [fetched]), ...keys].toSorted(longestFirst);
  const key = known.find((each) => each.fingerprint === fingerprint);
  if (key === undefined) throw refusalOf({ kind: 'unknown-signer', key: fingerprint }, { url, own: own !== undefined });
  return { clause: `signed by ${key.user} (${fingerprint})`, warnings: expiresSoon(key) };
}

async function signatureOf(url: string): Promise<Buffer> {
  const options: FetchOptions = { what: 'the signature of the source', limit: SMALL, deadline: DEADLINE };
  const file = await fetchOrNothing(`${url}.asc`, options);
  const how = 'Mirror the .asc file beside it, or give the digest as `sha256`.';
  if (file === undefined) throw refuse('signature-missing', `there is no signature at ${url}.asc`, how);
  const signature = readSignature(file);
  if (typeof signature === 'string') throw refuse('signature-bad', `${url}.asc: ${signature}`, how);
  return signature;
}

async function verifyBytes(bytes: Buffer, given: { signature: Buffer; keys: PublicKey[] }): Promise<Verdict> {
  const dir = await mkdtemp(join(tmpdir(), 'nginx-hot-upgrade-signed-'));
  try {
    const file = join(dir, 'file');
    await writeFile(file, bytes, { mode: 0o600 });
    return await verify(file, given);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A pinned signer whose key is not on board, or has expired there: it may be had anew. */
function signerBehind(verdict: Verdict): Signer | undefined {
  const said =
    verdict.kind === 'unknown-signer' ? verdict.key : verdict.kind === 'expired-key' ? verdict.fingerprint : '';
  return said === '' ? undefined : NGINX_SIGNERS.find(({ fingerprint }) => fingerprint.endsWith(said));
}

/** Accepted only if it is the pinned one, whoever hands it out. */
async function keyFrom({ keys: directory }: Mirror, { name, fingerprint }: Signer): Promise<PublicKey | undefined> {
  const options: FetchOptions = { what: `the key of ${name}`, limit: SMALL, deadline: 60_000 };
  const file = await fetchOrNothing(`${directory}${name}.key`, options);
  const keys = file === undefined ? [] : readPublicKeys(file.toString('latin1'));
  return typeof keys === 'string' ? undefined : keys.find((key) => key.fingerprint === fingerprint);
}

function keyNotHere({ name, fingerprint }: Signer, { url, mirror }: { url: string; mirror: Mirror }): Refused {
  return refuse(
    'unknown-signer',
    `${url} is signed by ${name} (${fingerprint}), who signs nginx's releases, but whose key is neither on board nor at ${mirror.keys}${name}.key`,
    'Put the key there, give it as `trusted-keys`, or give the digest of the tarball as `sha256`.',
  );
}

type NotGood = Exclude<Verdict, { kind: 'good' }>;

function refusalOf(verdict: NotGood, { url, own }: { url: string; own: boolean }): Refused {
  const instead = 'or give the digest of the tarball as `sha256`';
  const trusted = own ? 'the keys in `trusted-keys`' : "nginx's release signers";
  if (verdict.kind === 'bad') {
    const message = `the signature of ${url} is not good: ${verdict.why}`;
    return refuse('signature-bad', message, `Fetch it again from a mirror that you trust, ${instead}.`);
  }
  if (verdict.kind === 'expired-key') {
    const message = `${url} is signed by ${verdict.fingerprint}, a key that has expired`;
    return refuse('key-expired', message, `Give the renewed key as \`trusted-keys\`, ${instead}.`);
  }
  if (verdict.kind === 'no-gpgv') {
    const packages = 'Debian, Ubuntu: gpgv; RHEL, Fedora: gnupg2; SUSE: gpg2; Alpine: gnupg';
    const message = 'this machine has no gpgv, which checks the signature of the source';
    return refuse('build-dependency', message, `Install it (${packages}), ${instead}.`);
  }
  const repository = REPOSITORY_KEYS.some((key) => key.endsWith(verdict.key));
  const who = repository ? `${verdict.key}, a key that signs package repositories and never tarballs` : verdict.key;
  const page = 'See https://nginx.org/en/pgp_keys.html; give a key that you trust as `trusted-keys`';
  return refuse('unknown-signer', `${url} is signed by ${who}; expected one of ${trusted}`, `${page}, ${instead}.`);
}

const MONTHS_AHEAD: Millis = 180 * 86_400_000;

function expiresSoon({ user, fingerprint, expires }: PublicKey, now = Date.now()): Finding[] {
  if (expires === undefined || expires - now > MONTHS_AHEAD) return [];
  const day = new Date(expires).toISOString().slice(0, 10);
  return [
    {
      code: 'key-expires',
      message: `the key of ${user} (${fingerprint}) expires on ${day}; what it signed is refused from then on`,
      fix: 'Look for a renewed key, or for a newer release of this action.',
    },
  ];
}
