import { createHash } from 'node:crypto';
import { dearmor } from './armor.ts';
import { lengthAt, type Packet, readPackets, TAG } from './packets.ts';

/** An OpenPGP public key, as far as it says who it is. Nothing of it is verified here: gpgv does that when it is used. */
export interface PublicKey {
  /** Of the primary key, 40 hexadecimal digits in upper case. */
  fingerprint: string;
  /** The first name in it. */
  user: string;
  /** Milliseconds since the epoch; undefined: never. */
  expires?: number;
  /** The whole key with all its parts, in binary form. */
  bytes: Buffer;
}

/** All keys of one or more armored blocks; a clause where there is anything else. */
export function readPublicKeys(text: string): PublicKey[] | string {
  if (/-----BEGIN PGP PRIVATE KEY BLOCK-----/.test(text))
    return 'expected public keys, found a private one: withdraw it';
  const blocks = dearmor(text, 'PUBLIC KEY BLOCK');
  if (typeof blocks === 'string') return blocks;
  try {
    const keys = blocks.flatMap((block) => splitKeys(readPackets(block)).map(keyOf));
    return keys.length > 0 ? keys : 'found no key in the block';
  } catch (error) {
    if (error instanceof RangeError) return `found a damaged key: ${whyDamaged(error)}`;
    throw error;
  }
}

/** Of several copies of one key gpgv takes the first: the renewed one must come before the expired. */
export function longestFirst(a: PublicKey, b: PublicKey): number {
  return (b.expires ?? Number.MAX_SAFE_INTEGER) - (a.expires ?? Number.MAX_SAFE_INTEGER);
}

/** Where a length ends beyond the bytes, Node's own words speak of offsets that nobody knows. */
export function whyDamaged(error: RangeError): string {
  return 'code' in error ? 'it is cut off' : error.message;
}

/** A key goes on until the next primary one. */
function splitKeys(packets: Packet[]): Packet[][] {
  const keys: Packet[][] = [];
  for (const packet of packets) {
    if (packet.tag === TAG.secretKey) throw new RangeError('a private key');
    if (packet.tag === TAG.publicKey) keys.push([packet]);
    else keys.at(-1)?.push(packet);
  }
  return keys;
}

function keyOf(packets: Packet[]): PublicKey {
  const [primary] = packets;
  if (primary === undefined || primary.body[0] !== 4) throw new RangeError('a key of another version than 4');
  const { body } = primary;
  const created = body.readUInt32BE(1);
  const fingerprint = fingerprintOf(body);
  const lifetime = lifetimeOf(packets, fingerprint);
  return {
    fingerprint,
    user: (packets.find(({ tag }) => tag === TAG.user)?.body.toString('utf8') ?? '').replaceAll(/\p{C}+/gu, ' '),
    ...(lifetime === 0 ? {} : { expires: (created + lifetime) * 1000 }),
    bytes: Buffer.concat(packets.map(({ bytes }) => bytes)),
  };
}

/** RFC 9580, section 5.5.4.2. */
function fingerprintOf(body: Buffer): string {
  const head = Buffer.of(0x99, body.length >> 8, body.length & 0xff);
  return createHash('sha1').update(head).update(body).digest('hex').toUpperCase();
}

const SUBPACKET = { created: 2, keyExpires: 9, issuer: 16, issuerFingerprint: 33 };
const SELF_SIGNATURES = new Set([0x10, 0x11, 0x12, 0x13, 0x1f]);

/** Seconds from the key's creation, as its own latest signature on its names says; 0: for ever. */
function lifetimeOf(packets: Packet[], fingerprint: string): number {
  const signatures = packets.filter(({ tag, body }) => tag === TAG.signature && body[0] === 4);
  const own = signatures
    .filter(({ body }) => SELF_SIGNATURES.has(body[1] ?? 0))
    .map(({ body }) => subpacketsOf(body))
    .filter((said) => issuerOf(said) === fingerprint.slice(-16));
  const number = (said: Map<number, Buffer>, type: number) => said.get(type)?.readUInt32BE(0) ?? 0;
  const latest = own.toSorted((a, b) => number(a, SUBPACKET.created) - number(b, SUBPACKET.created)).at(-1);
  return latest === undefined ? 0 : number(latest, SUBPACKET.keyExpires);
}

/** The long key id. */
function issuerOf(said: Map<number, Buffer>): string | undefined {
  const id = said.get(SUBPACKET.issuer) ?? said.get(SUBPACKET.issuerFingerprint)?.subarray(-8);
  return id?.toString('hex').toUpperCase();
}

/** Hashed and unhashed subpackets by type, the hashed ones first (RFC 9580, section 5.2.3.7). */
function subpacketsOf(body: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  let at = 4;
  for (let area = 0; area < 2; area += 1) {
    const end = at + 2 + body.readUInt16BE(at);
    for (at += 2; at < end;) {
      const { start, length } = lengthAt(body, at);
      const type = (body[start] ?? 0) & 0x7f;
      if (!found.has(type)) found.set(type, body.subarray(start + 1, start + length));
      at = start + length;
    }
  }
  return found;
}
