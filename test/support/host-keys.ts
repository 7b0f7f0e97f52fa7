import { createHash, randomBytes } from 'node:crypto';

/** A made-up public key: good for every purpose but proving anything. */
export interface FakeKey {
  blob: Buffer;
  /** `type base64`, as in known_hosts. */
  line: string;
  fingerprint: string;
}

export function fakeKey(type: string): FakeKey {
  const fields = [Buffer.from(type), ...fieldsOf(type)];
  const blob = Buffer.concat(fields.flatMap((field) => [lengthOf(field), field]));
  const digest = createHash('sha256').update(blob).digest('base64').replace('=', '');
  return { blob, line: `${type} ${blob.toString('base64')}`, fingerprint: `SHA256:${digest}` };
}

function fieldsOf(type: string): Buffer[] {
  if (type === 'ssh-ed25519') return [randomBytes(32)];
  if (type === 'ssh-rsa') return [Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), randomBytes(256)])];
  if (type === 'ssh-dss') return [20, 20, 20, 20].map((size) => randomBytes(size));
  return [Buffer.from(type.replace('ecdsa-sha2-', '')), randomBytes(65)];
}

function lengthOf(field: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return length;
}
