/**
 * Cuts the bytes that a broker sends into responses.
 *
 * Promise: every byte is handed on, in order. Responses that nobody wants whole are handed on as they come.
 * Source: Apache Kafka documentation, "Protocol": a length of 4 bytes, then (in a response) the request's number.
 */
export interface FrameParts {
  /** Whether the response to this request is wanted whole. */
  readonly wants: (correlationId: number) => boolean;
  /** Memory for a response that is wanted. */
  readonly room: (bytes: number) => Buffer;
  /** A response that is wanted, its length first. */
  readonly whole: (frame: Buffer, correlationId: number) => void;
  /** Bytes of others, which may change afterwards. */
  readonly pass: (bytes: Buffer) => void;
}

const LENGTH_BYTES = 4;
const HEADER_BYTES = 8;

export class Frames {
  readonly #parts: FrameParts;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #frame: Buffer | undefined;
  #filled = 0;
  #passing = 0;

  constructor(parts: FrameParts) {
    this.#parts = parts;
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#frame !== undefined) at += this.#fill(this.#frame, bytes, at);
      else if (this.#passing > 0) at += this.#pass(bytes, at);
      else at += this.#readHeader(bytes, at);
    }
  }

  #fill(frame: Buffer, bytes: Buffer, at: number): number {
    const taken = bytes.copy(frame, this.#filled, at);
    this.#filled += taken;
    if (this.#filled === frame.length) {
      this.#frame = undefined;
      this.#parts.whole(frame, frame.readInt32BE(LENGTH_BYTES));
    }
    return taken;
  }

  #pass(bytes: Buffer, at: number): number {
    const passed = bytes.subarray(at, at + this.#passing);
    this.#passing -= passed.length;
    this.#parts.pass(passed);
    return passed.length;
  }

  /** A response shorter than a request's number (an empty token of SASL) has none. */
  #readHeader(bytes: Buffer, at: number): number {
    const known = this.#headerBytes < LENGTH_BYTES ? LENGTH_BYTES : HEADER_BYTES;
    const taken = bytes.copy(this.#header, this.#headerBytes, at, at + known - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes < known) return taken;
    const length = this.#header.readInt32BE();
    if (known === LENGTH_BYTES && length >= HEADER_BYTES - LENGTH_BYTES) return taken;
    this.#headerBytes = 0;
    const whole = LENGTH_BYTES + length;
    if (known === HEADER_BYTES && this.#parts.wants(this.#header.readInt32BE(LENGTH_BYTES))) {
      this.#frame = this.#parts.room(whole);
      this.#filled = this.#header.copy(this.#frame);
      if (this.#filled === whole) this.#fill(this.#frame, bytes.subarray(0, 0), 0);
    } else {
      this.#passing = whole - known;
      this.#parts.pass(this.#header.subarray(0, known));
    }
    return taken;
  }
}
