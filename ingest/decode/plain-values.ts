/**
 * Values of JSON as most producers write them, told by their bytes.
 *
 * Promise: each function gives the place after the value that begins at `at`, or -1. What it takes, `shape.ts` takes as a
 * value of the same type. `end` is where the record ends, with a brace in front of it, so that digits always stop.
 */
import { DIGITS_OF_DOUBLE } from './shape.ts';

const [MINUS, PLUS, POINT, ZERO, NINE, COLON] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x3a];
const [QUOTE, BACKSLASH, SPACE, T, Z] = [0x22, 0x5c, 0x20, 0x54, 0x5a];
const FRACTION_DIGITS = 9;
/** Bytes that may follow a backslash; `\u` is left to others. */
const ESCAPED = new Set<number>(Buffer.from('"\\/bfnrt'));

export function spacesAt(bytes: Uint8Array, at: number): number {
  let next = at;
  while (bytes[next] === SPACE) next++;
  return next;
}

/** `word` is ASCII. */
export function wordAt(bytes: Uint8Array, at: number, word: string): number {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}

export function integerAt(bytes: Uint8Array, at: number, mostDigits: number): number {
  const start = bytes[at] === MINUS ? at + 1 : at;
  if (bytes[start] === ZERO) return start + 1;
  return digitsAt(bytes, start, mostDigits);
}

/** @param scale how many digits there may be after the point */
export function decimalAt(bytes: Uint8Array, at: number, whole: number, wholeWithPoint: number, scale: number): number {
  const point = integerAt(bytes, at, whole);
  if (point < 0 || bytes[point] !== POINT) return point;
  return integerAt(bytes, at, wholeWithPoint) < 0 ? -1 : digitsAt(bytes, point + 1, scale);
}

export function doubleAt(bytes: Uint8Array, at: number): number {
  const stop = numberAt(bytes, at);
  if (stop < 0 || ((bytes[stop] ?? 0) | 0x20) !== 0x65) return withSign(bytes, at, stop);
  const sign = bytes[stop + 1];
  return digitsAt(bytes, sign === MINUS || sign === PLUS ? stop + 2 : stop + 1, 2);
}

export function floatAt(bytes: Uint8Array, at: number): number {
  return withSign(bytes, at, numberAt(bytes, at));
}

function numberAt(bytes: Uint8Array, at: number): number {
  return decimalAt(bytes, at, DIGITS_OF_DOUBLE, DIGITS_OF_DOUBLE, DIGITS_OF_DOUBLE);
}

/** `-0` is read as the integer, which has no sign. */
function withSign(bytes: Uint8Array, at: number, stop: number): number {
  return stop === at + 2 && bytes[at] === MINUS && bytes[at + 1] === ZERO ? -1 : stop;
}

/** A string, in well-formed UTF-8 (RFC 3629): four bytes at a time as long as they are ASCII and nothing special. */
export function textAt(bytes: Uint8Array, view: DataView, from: number, end: number): number {
  if (bytes[from] !== QUOTE) return -1;
  let at = from + 1;
  while (at + 4 <= end && isPlainText(view.getInt32(at, true))) at += 4;
  while (at < end) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      if (!ESCAPED.has(bytes[at + 1] ?? 0)) return -1;
      at += 2;
    } else {
      const length = byte < 0x80 ? (byte < SPACE ? 0 : 1) : sequenceLength(bytes, at, end);
      if (length === 0) return -1;
      at += length;
    }
  }
  return -1;
}

/** `"2026-01-31"`: without the 29th of February, which others look at. */
export function dateAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  const stop = dayAt(bytes, at + 1);
  return stop >= 0 && bytes[stop] === QUOTE ? stop + 1 : -1;
}

/** A date, with or without a time behind it. */
export function timestampAt(bytes: Uint8Array, from: number, withZone: boolean): number {
  if (bytes[from] !== QUOTE) return -1;
  let at = dayAt(bytes, from + 1);
  if (at >= 0 && (bytes[at] === T || bytes[at] === SPACE)) {
    at = timeAt(bytes, at + 1);
    if (withZone && at >= 0 && bytes[at] !== QUOTE) at = zoneAt(bytes, at);
  }
  return at >= 0 && bytes[at] === QUOTE ? at + 1 : -1;
}

function isPlainText(four: number): boolean {
  const quote = four ^ 0x22222222;
  const backslash = four ^ 0x5c5c5c5c;
  return ((four | (four - 0x20202020) | (quote - 0x01010101) | (backslash - 0x01010101)) & 0x80808080) === 0;
}

/** How many bytes the character takes that is not ASCII; 0 when it is ill-formed. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (length === 0 || at + length > end || second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** One digit or more. */
function digitsAt(bytes: Uint8Array, at: number, most: number): number {
  let next = at;
  for (let byte = bytes[next] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[next] ?? 0) next++;
  return next === at || next - at > most ? -1 : next;
}

function dayAt(bytes: Uint8Array, at: number): number {
  const century = two(bytes, at);
  const year = two(bytes, at + 2);
  const month = two(bytes, at + 5);
  const day = two(bytes, at + 8);
  if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return -1;
  const days = month === 2 ? 28 : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  const isDay = century >= 10 && century < 30 && year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= days;
  return isDay ? at + 10 : -1;
}

function timeAt(bytes: Uint8Array, at: number): number {
  const hour = two(bytes, at);
  const minute = two(bytes, at + 3);
  const second = two(bytes, at + 6);
  if (bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1;
  return bytes[at + 8] === POINT ? digitsAt(bytes, at + 9, FRACTION_DIGITS) : at + 8;
}

function zoneAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] === Z) return at + 1;
  if (bytes[at] !== PLUS && bytes[at] !== MINUS) return -1;
  const hour = two(bytes, at + 1);
  if (hour < 0 || hour > 18) return -1;
  const minuteAt = bytes[at + 3] === COLON ? at + 4 : at + 3;
  const minute = two(bytes, minuteAt);
  if (minute >= 0) return minute > 59 ? -1 : minuteAt + 2;
  return minuteAt === at + 3 ? minuteAt : -1;
}

/** A number of two digits, or -1. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - ZERO;
  const ones = (bytes[at + 1] ?? 0) - ZERO;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}
