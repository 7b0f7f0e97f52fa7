import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthAt, readPackets } from '../../../src/source/packets.ts';

/** A packet with these bytes for its head, and a body of this length. */
function packet(head: number[], length: number): Buffer {
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0x61)]);
}

describe('readPackets', () => {
  const forms: [string, head: number[], length: number][] = [
    ['of the old form with a length of one byte', [0x98, 0x05], 5],
    ['of the old form with a length of two bytes', [0x99, 0x01, 0x0d], 269],
    ['of the old form with a length of four bytes', [0x9a, 0x00, 0x01, 0x11, 0x70], 70_000],
    ['of the present form with a length of one byte', [0xc6, 0xbf], 191],
    ['of the present form with a length of two bytes', [0xc6, 0xc0, 0x00], 192],
    ['of the present form with the longest length of two bytes', [0xc6, 0xdf, 0xff], 8383],
    ['of the present form with a length of five bytes', [0xc6, 0xff, 0x00, 0x01, 0x11, 0x70], 70_000],
    ['without a body', [0xc6, 0x00], 0],
  ];
  for (const [what, head, length] of forms) {
    it(`reads a packet ${what}`, () => {
      const bytes = packet(head, length);
      assert.deepEqual(readPackets(bytes), [{ tag: 6, body: Buffer.alloc(length, 0x61), bytes }]);
    });
  }

  it('reads one after the other, each with all of its own bytes', () => {
    const parts = [packet([0x98, 0x02], 2), packet([0xb4, 0x03], 3), packet([0xc2, 0x01], 1)];
    const packets = readPackets(Buffer.concat(parts));
    assert.deepEqual(
      packets.map(({ tag }) => tag),
      [6, 13, 2],
    );
    assert.deepEqual(
      packets.map(({ bytes }) => bytes),
      parts,
    );
  });

  it('finds nothing in nothing', () => assert.deepEqual(readPackets(Buffer.alloc(0)), []));

  it('knows types that only the present form can tell', () => {
    assert.equal(readPackets(Buffer.of(0xff, 0x00))[0]?.tag, 63);
  });

  const refused: [string, Buffer, RegExp][] = [
    ['a body that is cut off', packet([0x98, 0x05], 4), /^a packet is cut off$/],
    ['a second packet that is cut off', Buffer.of(0x98, 0x01, 0x61, 0xb4, 0x02, 0x61), /^a packet is cut off$/],
    ['a length beyond all bytes', packet([0xc6, 0xff, 0xff, 0xff, 0xff, 0xff], 10), /^a packet is cut off$/],
    ['a text', Buffer.from('-----BEGIN PGP'), /^no OpenPGP packet$/],
    ['bytes behind the last packet', Buffer.of(0x98, 0x01, 0x61, 0x0a), /^no OpenPGP packet$/],
    ['an old packet that says no length', packet([0x9b], 5), /^a packet without a length$/],
    ['the shortest packet in pieces', packet([0xc6, 0xe0], 5), /^a packet in pieces$/],
    ['the longest packet in pieces', packet([0xc6, 0xfe], 5), /^a packet in pieces$/],
    ['an old length of one byte that is missing', Buffer.of(0x98), /./],
    ['an old length of two bytes that is cut off', Buffer.of(0x99, 0x01), /./],
    ['an old length of four bytes that is cut off', Buffer.of(0x9a, 0, 0, 1), /./],
    ['a length of one byte that is missing', Buffer.of(0xc6), /./],
    ['a length of two bytes that is cut off', Buffer.of(0xc6, 0xc0), /./],
    ['a length of five bytes that is cut off', Buffer.of(0xc6, 0xff, 0, 0, 1), /./],
  ];
  for (const [what, bytes, message] of refused) {
    it(`throws a RangeError at ${what}`, () => {
      assert.throws(() => readPackets(bytes), { name: 'RangeError', message });
    });
  }
});

describe('lengthAt', () => {
  const lengths: [bytes: number[], start: number, length: number][] = [
    [[0x00], 2, 0],
    [[0xbf], 2, 191],
    [[0xc0, 0x00], 3, 192],
    [[0xc5, 0xfb], 3, 1723],
    [[0xdf, 0xff], 3, 8383],
    [[0xff, 0x00, 0x01, 0x86, 0xa0], 6, 100_000],
    [[0xff, 0xff, 0xff, 0xff, 0xff], 6, 4_294_967_295],
  ];
  for (const [bytes, start, length] of lengths) {
    it(`reads ${Buffer.from(bytes).toString('hex')} as ${length}, and says where the rest starts`, () => {
      assert.deepEqual(lengthAt(Buffer.of(0x98, ...bytes), 1), { start, length });
    });
  }
});
