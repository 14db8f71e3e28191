/**
 * A map that never changes and of which a changed copy is cheap: a big base shared by all copies, and a small overlay.
 *
 * Promise: `with` leaves the map it is called on as it was; a copy costs about the square root of the size, not the size, so
 * that a commit to a table of 100,000 files does not copy 100,000 entries.
 */
export class OverlayMap<V> {
  readonly #base: ReadonlyMap<string, V>;
  /** What differs from the base; undefined: not there. */
  readonly #overlay: ReadonlyMap<string, V | undefined>;
  readonly size: number;

  private constructor(base: ReadonlyMap<string, V>, overlay: ReadonlyMap<string, V | undefined>, size: number) {
    this.#base = base;
    this.#overlay = overlay;
    this.size = size;
  }

  /** @param base is kept, not copied */
  static over<V>(base: ReadonlyMap<string, V>): OverlayMap<V> {
    return new OverlayMap<V>(base, new Map(), base.size);
  }

  get(key: string): V | undefined {
    return this.#overlay.has(key) ? this.#overlay.get(key) : this.#base.get(key);
  }

  has(key: string): boolean {
    return this.#overlay.has(key) ? this.#overlay.get(key) !== undefined : this.#base.has(key);
  }

  /** A copy with these values set, or taken out where they are undefined. A key that is set again goes to the end. */
  with(changes: Iterable<readonly [string, V | undefined]>): OverlayMap<V> {
    const overlay = new Map(this.#overlay);
    let size = this.size;
    for (const [key, value] of changes) {
      const before = overlay.has(key) ? overlay.get(key) !== undefined : this.#base.has(key);
      size += Number(value !== undefined) - Number(before);
      overlay.delete(key);
      if (value !== undefined || this.#base.has(key)) overlay.set(key, value);
    }
    const copy = new OverlayMap(this.#base, overlay, size);
    return overlay.size > 64 + 4 * Math.sqrt(this.#base.size) ? OverlayMap.over(new Map(copy.entries())) : copy;
  }

  *entries(): Iterable<[string, V]> {
    for (const [key, value] of this.#base) if (!this.#overlay.has(key)) yield [key, value];
    for (const [key, value] of this.#overlay) if (value !== undefined) yield [key, value];
  }

  values(): readonly V[] {
    if (this.#overlay.size === 0) return [...this.#base.values()];
    const values: V[] = [];
    for (const [key, value] of this.#base) if (!this.#overlay.has(key)) values.push(value);
    for (const value of this.#overlay.values()) if (value !== undefined) values.push(value);
    return values;
  }
}
