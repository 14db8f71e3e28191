/**
 * Sets of row numbers as Delta keeps them: Roaring bitmaps of 64 bits, in the portable format.
 *
 * Promise: what is damaged is refused; no number comes twice, and they come in order.
 * Source: Delta protocol, "Deletion Vector Format"; RoaringFormatSpec, "Standard 32-bit Roaring Bitmap", "Extension for 64-bit
 * implementations".
 */
export const MAGIC = 1_681_511_377;
/** An older form that Delta's own reader still takes: buckets without keys, each with its size before it. */
const OLD_MAGIC = 1_681_511_376;
export const COOKIE_WITH_RUNS = 12_347;
export const COOKIE = 12_346;
/** Bitmaps with runs leave the offsets of so few containers out. */
export const NO_OFFSETS_BELOW = 4;
/** A container with more values than this is a bitmap, with a bit for each of its 65,536 numbers. */
export const ARRAY_MOST = 4096;
export const BITMAP_BYTES = 8192;
/** Numbers from here on are no longer exact in JavaScript; no Parquet file has so many rows. */
const HIGH_KEYS = 2 ** 21;

/** Rows `first` to `last`, both included. */
export type Visit = (first: number, last: number) => void;

/**
 * Visits the numbers of a set as runs, in order.
 * @param bytes with the magic number that they begin with
 * @throws SyntaxError
 */
export function visitRuns(bytes: Uint8Array, visit: Visit): void {
  const reader = new Reader(bytes);
  const magic = reader.uint32();
  if (magic === OLD_MAGIC) {
    const count = reader.uint32();
    for (let key = 0; key < count; key++) {
      reader.uint32();
      visitBucket(reader, key * 2 ** 32, visit);
    }
    return;
  }
  if (magic !== MAGIC) throw new SyntaxError(`a deletion vector of an unknown format (${String(magic)})`);
  const buckets = reader.uint64();
  let before = -1;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const key = reader.uint32();
    if (key <= before || key >= HIGH_KEYS) throw new SyntaxError(`a deletion vector with the key ${String(key)}`);
    before = key;
    visitBucket(reader, key * 2 ** 32, visit);
  }
}

function visitBucket(reader: Reader, base: number, visit: Visit): void {
  const cookie = reader.uint32();
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
  if (!hasRuns && cookie !== COOKIE) throw new SyntaxError(`a bitmap with the cookie ${String(cookie)}`);
  const count = hasRuns ? (cookie >>> 16) + 1 : reader.uint32();
  if (count > 2 ** 16) throw new SyntaxError(`a bitmap of ${String(count)} containers`);
  const isRun = hasRuns ? reader.bytes(Math.ceil(count / 8)) : undefined;
  const containers = Array.from({ length: count }, (_, i) => ({
    key: reader.uint16(),
    values: reader.uint16() + 1,
    isRun: (((isRun?.[i >> 3] ?? 0) >> (i & 7)) & 1) === 1,
  }));
  if (!hasRuns || count >= NO_OFFSETS_BELOW) reader.bytes(count * 4);
  let before = -1;
  for (const { key, values, isRun: runs } of containers) {
    if (key <= before) throw new SyntaxError('a bitmap whose containers are not in order');
    before = key;
    const start = base + key * 2 ** 16;
    if (runs) visitRunContainer(reader, start, visit);
    else if (values > ARRAY_MOST) visitBitmap(reader.bytes(BITMAP_BYTES), start, visit);
    else visitArray(reader, values, start, visit);
  }
}

function visitRunContainer(reader: Reader, start: number, visit: Visit): void {
  let next = 0;
  for (let runs = reader.uint16(); runs > 0; runs--) {
    const first = reader.uint16();
    const last = first + reader.uint16();
    if (first < next || last > 0xffff) throw new SyntaxError('a bitmap whose runs are not in order');
    next = last + 1;
    visit(start + first, start + last);
  }
}

function visitArray(reader: Reader, values: number, start: number, visit: Visit): void {
  let [first, last] = [-1, -2];
  for (let i = 0; i < values; i++) {
    const value = reader.uint16();
    if (value <= last) throw new SyntaxError('a bitmap whose values are not in order');
    if (value !== last + 1) {
      if (first >= 0) visit(start + first, start + last);
      first = value;
    }
    last = value;
  }
  if (first >= 0) visit(start + first, start + last);
}

function visitBitmap(bits: Uint8Array, start: number, visit: Visit): void {
  let first = -1;
  for (const [at, byte] of bits.entries()) {
    for (let bit = 0; bit < 8; bit++) {
      const isSet = ((byte >> bit) & 1) === 1;
      if (isSet && first < 0) first = at * 8 + bit;
      if (isSet || first < 0) continue;
      visit(start + first, start + at * 8 + bit - 1);
      first = -1;
    }
  }
  if (first >= 0) visit(start + first, start + 0xffff);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  uint16(): number {
    return this.#view.getUint16(this.#move(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#move(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#move(8), true));
  }

  bytes(length: number): Uint8Array {
    const from = this.#move(length);
    return this.#bytes.subarray(from, from + length);
  }

  #move(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw new SyntaxError('a deletion vector that ends too early');
    this.#at += length;
    return from;
  }
}
