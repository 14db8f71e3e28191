/**
 * Memory for the large answers of one connection: megabytes several dozen times a second, which would be as much garbage.
 *
 * Promise: memory is used again only when everything that was taken out of it has been released; in doubt it never is.
 */

/** Part of an answer. */
export interface Held {
  readonly isReleased: boolean;
}

/** Smaller answers are not worth it. */
const SMALL_BYTES = 2 ** 16;
const STEP_BYTES = 2 ** 20;

export class FrameMemory {
  #memory = Buffer.alloc(0);
  /** What lies in it; undefined as long as that is not known. */
  #held: readonly Held[] | undefined;

  /** Room for an answer. */
  take(bytes: number): Buffer {
    if (bytes < SMALL_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const isFree = this.#held?.every(({ isReleased }) => isReleased) ?? false;
    this.#held = undefined;
    if (!isFree || bytes > this.#memory.length)
      this.#memory = Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    return this.#memory.subarray(0, bytes);
  }

  /** Says what was taken out of an answer, once nothing else of it is used any more. */
  holds(frame: Buffer, held: readonly Held[]): void {
    if (frame.buffer === this.#memory.buffer) this.#held = held;
  }
}
