/**
 * The numbers of variable length that records are made of.
 *
 * Source: "Varint" as in Protocol Buffers, zigzag.
 */

/** Up to here a varint fits into what JavaScript's bit operators can hold. */
const SMALL_VARINT_BITS = 28;
const VARINT_BITS = 70;

/** The bytes of a batch are not what its header says. */
export class BadRecords extends Error {
  constructor() {
    super('the records of a batch are not as its header says');
    this.name = 'BadRecords';
  }
}

export class Varints {
  readonly bytes: Buffer;
  /** Where the next one begins; behind the end everything reads as 0. */
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** @throws BadRecords when it has more than 70 bits */
  next(): number {
    const { bytes } = this;
    let byte = bytes[this.at++] ?? 0;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift === SMALL_VARINT_BITS) return this.#long(value);
      byte = bytes[this.at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  #long(low: number): number {
    let value = BigInt(low);
    let byte = 0x80;
    for (let shift = SMALL_VARINT_BITS; byte >= 0x80; shift += 7) {
      if (shift >= VARINT_BITS) throw new BadRecords();
      byte = this.bytes[this.at++] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(shift);
    }
    return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
  }
}
