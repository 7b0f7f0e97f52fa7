/** One packet of an OpenPGP message (RFC 9580, section 4.2): its type, its body, and all of its bytes. */
export interface Packet {
  tag: number;
  body: Buffer;
  bytes: Buffer;
}

export const TAG = { signature: 2, secretKey: 5, publicKey: 6, user: 13, publicSubkey: 14 };

/** Throws RangeError where the bytes end within a packet, or where a length is not told. */
export function readPackets(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    const { tag, start, length } = headerAt(bytes, at);
    if (start + length > bytes.length) throw new RangeError('a packet is cut off');
    packets.push({ tag, body: bytes.subarray(start, start + length), bytes: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return packets;
}

function headerAt(bytes: Buffer, at: number): { tag: number; start: number; length: number } {
  const head = bytes.readUInt8(at);
  if ((head & 0x80) === 0) throw new RangeError('no OpenPGP packet');
  if ((head & 0x40) !== 0) return { tag: head & 0x3f, ...lengthAt(bytes, at + 1) };
  const width = [1, 2, 4][head & 3];
  if (width === undefined) throw new RangeError('a packet without a length');
  return { tag: (head >> 2) & 0xf, start: at + 1 + width, length: bytes.readUIntBE(at + 1, width) };
}

/** A length of one, two or five bytes, as packets of the present form and subpackets have it. */
export function lengthAt(bytes: Buffer, at: number): { start: number; length: number } {
  const first = bytes.readUInt8(at);
  if (first < 192) return { start: at + 1, length: first };
  if (first < 224) return { start: at + 2, length: ((first - 192) << 8) + bytes.readUInt8(at + 1) + 192 };
  if (first === 255) return { start: at + 5, length: bytes.readUInt32BE(at + 1) };
  throw new RangeError('a packet in pieces');
}
