/**
 * The only door to chance: seeded in tests and generators, from the system otherwise.
 *
 * Promise: the same seed gives the same sequence on every machine and Node version.
 */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, limit). */
  int(limit: number): number;
  /** A random (version 4) UUID. */
  uuid(): string;
}

/**
 * A seeded generator (sfc32, Chris Doty-Humphrey's "Small Fast Counting" of PractRand).
 * @example seededRandom(42).int(6)
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88 ^ Math.trunc(seed / 2 ** 32);
  let c = 0xb7e15162;
  let counter = 1;
  const next32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) next32();
  return fromNext(() => next32() / 2 ** 32);
}

/** Chance from the operating system. */
export const systemRandom: Random = fromNext(() => randomBytes(6).readUIntBE(0, 6) / 2 ** 48);

function fromNext(next: () => number): Random {
  const int = (limit: number): number => Math.floor(next() * limit);
  const hex = (digits: number): string => {
    let out = '';
    for (let i = 0; i < digits; i++) out += int(16).toString(16);
    return out;
  };
  return {
    next,
    int,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + int(4)).toString(16)}${hex(3)}-${hex(12)}`,
  };
}
