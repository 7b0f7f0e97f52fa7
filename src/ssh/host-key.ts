import { createHash } from 'node:crypto';

/** How many length-prefixed strings a public key blob of a type consists of, the type's own name included. */
const FIELDS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 2,
  'ecdsa-sha2-nistp256': 3,
  'ecdsa-sha2-nistp384': 3,
  'ecdsa-sha2-nistp521': 3,
  'ssh-rsa': 3,
  'ssh-dss': 5,
  'sk-ssh-ed25519@openssh.com': 3,
  'sk-ecdsa-sha2-nistp256@openssh.com': 4,
};

/** What a host may prove its key with. */
export type HostKeyAlgorithm =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'rsa-sha2-512'
  | 'rsa-sha2-256';

/** By key type, in order of preference; a type that is not here is not accepted any more. */
const SIGNATURES: Readonly<Record<string, readonly HostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

export const MODERN_ALGORITHMS: readonly HostKeyAlgorithm[] = Object.values(SIGNATURES).flat();

/** In order of preference, for these key types only. */
export function algorithmsFor(keyTypes: ReadonlySet<string>): HostKeyAlgorithm[] {
  return Object.entries(SIGNATURES).flatMap(([type, algorithms]) => (keyTypes.has(type) ? algorithms : []));
}

/** `SHA256:…`, unpadded base64, as every OpenSSH tool prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a public key blob itself claims to be; `unknown type` where it is no key blob. */
export function keyTypeOf(key: Buffer): string {
  const type = splitBlob(key)?.[0]?.toString('latin1') ?? '';
  return /^[\w@.-]{1,64}$/.test(type) ? type : 'unknown type';
}

/** What is wrong with the key of a line `… TYPE BASE64`, as the end of a sentence; undefined: nothing. */
export function keyProblem(typeWord: string, base64: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    return 'the key is not whole base64: was the line cut or wrapped?';
  }
  const fields = splitBlob(Buffer.from(base64, 'base64'));
  if (fields === undefined) return 'the key ends early: was the line cut?';
  const blobType = fields[0]?.toString('latin1') ?? '';
  if (blobType !== typeWord) {
    return `it says ${quoted(typeWord)}, but the key itself is of type ${quoted(blobType)}`;
  }
  const expected = FIELDS[typeWord];
  const wrongLength = typeWord === 'ssh-ed25519' && fields[1]?.length !== 32;
  if (wrongLength || (expected !== undefined && fields.length !== expected)) {
    return `the key is not a complete ${typeWord} key: was the line cut?`;
  }
  return undefined;
}

/** Undefined where the blob is not a sequence of whole strings. */
function splitBlob(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields.length === 0 ? undefined : fields;
}

/** Only what looks like a type is repeated: anything else may be a secret pasted into the wrong place. */
function quoted(type: string): string {
  return /^[a-z][a-z0-9@.-]{2,50}$/.test(type) ? type : 'something that is no key type';
}
