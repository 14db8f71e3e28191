/**
 * What the bytes of a value say that `plain-values.ts` has recognised: numbers, days and microseconds.
 *
 * Promise: exact, or a number that is no safe integer (for doubles: NaN), which tells the caller to take another road.
 */
const [MINUS, PLUS, POINT, ZERO, COLON, QUOTE, Z] = [0x2d, 0x2b, 0x2e, 0x30, 0x3a, 0x22, 0x5a];

/** A double holds every integer of so many digits, and the power of ten of so many zeros: dividing one by the other rounds once. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${String(i)}`));

const MICROS_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;
const MICROS_DIGITS = 6;
/** Days in front of each month, from January on, of a year that begins in March (so that the leap day is its last). */
const DAYS_BEFORE = Int32Array.of(306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275);
/** From the first of March of year 0 to the epoch, in the proleptic Gregorian calendar. */
const EPOCH_DAYS = 719_468;

/** Not a safe integer when it is too large to be exact. */
export function integerOf(bytes: Uint8Array, at: number, stop: number): number {
  const isNegative = bytes[at] === MINUS;
  let value = 0;
  for (let i = isNegative ? at + 1 : at; i < stop; i++) value = value * 10 + digit(bytes, i);
  return isNegative ? -value : value;
}

/** The digits of a decimal with `scale` of them after the point, as an integer. */
export function decimalOf(bytes: Uint8Array, at: number, stop: number, scale: number): number {
  let value = 0;
  let point = stop - 1;
  const isNegative = bytes[at] === MINUS;
  for (let i = isNegative ? at + 1 : at; i < stop; i++) {
    if (bytes[i] === POINT) point = i;
    else value = value * 10 + digit(bytes, i);
  }
  const scaled = value * (POWERS[scale - (stop - 1 - point)] ?? Number.NaN);
  return isNegative ? -scaled : scaled;
}

/** NaN when it is to be read by other means. */
export function doubleOf(bytes: Uint8Array, at: number, stop: number): number {
  const isNegative = bytes[at] === MINUS;
  const start = isNegative ? at + 1 : at;
  if (stop - start > EXACT_DIGITS) return Number.NaN;
  let value = 0;
  let point = stop - 1;
  for (let i = start; i < stop; i++) {
    const one = digit(bytes, i);
    if (one >= 0 && one <= 9) value = value * 10 + one;
    else if (bytes[i] === POINT) point = i;
    else return Number.NaN;
  }
  const divided = value / (POWERS[stop - 1 - point] ?? Number.NaN);
  return isNegative ? -divided : divided;
}

/** Days since the epoch. @param at the first digit of `2026-01-31` */
export function dateOf(bytes: Uint8Array, at: number): number {
  const month = two(bytes, at + 5);
  const year = two(bytes, at) * 100 + two(bytes, at + 2) - (month <= 2 ? 1 : 0);
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  return 365 * year + leapDays + (DAYS_BEFORE[month - 1] ?? 0) + two(bytes, at + 8) - 1 - EPOCH_DAYS;
}

/**
 * Microseconds since the epoch; without a zone it is UTC. Further digits of the second are cut off.
 * @param at the quote in front of a date, or of a date and a time
 */
export function microsOf(bytes: Uint8Array, at: number): number {
  const days = dateOf(bytes, at + 1);
  if (bytes[at + 11] === QUOTE) return days * SECONDS_PER_DAY * MICROS_PER_SECOND;
  const seconds = two(bytes, at + 12) * 3600 + two(bytes, at + 15) * 60 + two(bytes, at + 18);
  let zone = at + 20;
  let micros = 0;
  if (bytes[zone] === POINT) {
    const first = zone + 1;
    for (zone = first; isDigit(bytes, zone); zone++)
      if (zone - first < MICROS_DIGITS) micros = micros * 10 + digit(bytes, zone);
    micros *= POWERS[Math.max(0, MICROS_DIGITS - (zone - first))] ?? 1;
  }
  return (days * SECONDS_PER_DAY + seconds - offsetOf(bytes, zone)) * MICROS_PER_SECOND + micros;
}

/** Seconds in front of UTC. @param at where the zone begins, or the quote */
function offsetOf(bytes: Uint8Array, at: number): number {
  const sign = bytes[at];
  if (sign === Z || (sign !== PLUS && sign !== MINUS)) return 0;
  const minutesAt = bytes[at + 3] === COLON ? at + 4 : at + 3;
  const minutes = bytes[minutesAt] === QUOTE ? 0 : two(bytes, minutesAt);
  const seconds = two(bytes, at + 1) * 3600 + minutes * 60;
  return sign === MINUS ? -seconds : seconds;
}

function isDigit(bytes: Uint8Array, at: number): boolean {
  const value = digit(bytes, at);
  return value >= 0 && value <= 9;
}

function digit(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) - ZERO;
}

function two(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1);
}
