/**
 * The place of a cell on a Hilbert curve: cells that are next to each other on the curve are next to each other in every
 * dimension, which interleaved bits (Z-order) only are mostly.
 *
 * Promise: pure; every cell has a place of its own, and two that follow each other differ by one step in one dimension.
 * Source: J. Skilling, "Programming the Hilbert curve", AIP Conference Proceedings 707 (2004).
 */

/**
 * @param cell one coordinate a dimension, each below 2^bits
 * @param bits how many each coordinate has; all together at most 31
 * @example hilbertIndex([0, 1], 1) // 1
 */
export function hilbertIndex(cell: readonly number[], bits: number): number {
  const x = [...cell];
  const at = (i: number): number => x[i] ?? 0;
  for (let bit = 1 << (bits - 1); bit > 1; bit >>= 1) {
    const below = bit - 1;
    for (let i = 0; i < x.length; i++) {
      if ((at(i) & bit) === 0) {
        const swapped = (at(0) ^ at(i)) & below;
        x[0] = at(0) ^ swapped;
        x[i] = at(i) ^ swapped;
      } else x[0] = at(0) ^ below;
    }
  }
  for (let i = 1; i < x.length; i++) x[i] = at(i) ^ at(i - 1);
  let flips = 0;
  for (let bit = 1 << (bits - 1); bit > 1; bit >>= 1) if ((at(x.length - 1) & bit) !== 0) flips ^= bit - 1;
  let index = 0;
  for (let bit = bits - 1; bit >= 0; bit--) {
    for (let i = 0; i < x.length; i++) index = index * 2 + (((at(i) ^ flips) >> bit) & 1);
  }
  return index;
}
