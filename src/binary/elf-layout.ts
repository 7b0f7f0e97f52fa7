/** Reads numbers out of an ELF file, in the file's own byte order and word size. */
export interface Layout {
  wide: boolean;
  u16: (offset: number) => number;
  u32: (offset: number) => number;
  /** An address or offset: 4 or 8 bytes. */
  word: (offset: number) => number;
}

/** One entry of the program header table. */
export interface Segment {
  type: number;
  offset: number;
  address: number;
  /** Bytes in the file. */
  size: number;
}

export const SEGMENT = { load: 1, dynamic: 2, interpreter: 3 };

export function layoutOf(file: Buffer): Layout {
  const wide = file[4] === 2;
  const little = file[5] === 1;
  const u32 = (offset: number): number => (little ? file.readUInt32LE(offset) : file.readUInt32BE(offset));
  return {
    wide,
    u16: (offset) => (little ? file.readUInt16LE(offset) : file.readUInt16BE(offset)),
    u32,
    word: (offset) => {
      if (!wide) return u32(offset);
      return Number(little ? file.readBigUInt64LE(offset) : file.readBigUInt64BE(offset));
    },
  };
}

/** The program header table (elf(5)); null where the file ends before it does. */
export function segmentsOf(file: Buffer, { wide, u16, u32, word }: Layout): Segment[] | null {
  const table = word(wide ? 32 : 28);
  const size = u16(wide ? 54 : 42);
  const count = u16(wide ? 56 : 44);
  if (size < (wide ? 56 : 32) || table + size * count > file.length) return null;
  return Array.from({ length: count }, (_, index) => {
    const start = table + size * index;
    return {
      type: u32(start),
      offset: word(start + (wide ? 8 : 4)),
      address: word(start + (wide ? 16 : 8)),
      size: word(start + (wide ? 32 : 16)),
    };
  });
}
