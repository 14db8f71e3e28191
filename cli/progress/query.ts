/** How far a long query is, on one line of the terminal that is gone when rows come. */
import { bar } from '../format.ts';
import type { Io } from '../io.ts';

/** Short queries end before it is worth showing anything. */
const AFTER_MS = 600;
const WIDTH = 30;

/** Percents of what runs, where they are known, and what it is, where there are several steps. */
export type OnProgress = (percent: number | undefined, step?: string) => void;

export class QueryProgress {
  readonly #io: Io;
  readonly #startMs = Date.now();
  #drawn = false;
  #over = false;

  constructor(io: Io) {
    this.#io = io;
  }

  /** The callback of a query, where there is a terminal to show it on. */
  callback(): { onProgress?: OnProgress } {
    if (!this.#io.stderr.isTTY) return {};
    return {
      onProgress: (percent, step) => {
        this.#show(percent, step);
      },
    };
  }

  #show(percent: number | undefined, step: string | undefined): void {
    if (this.#over || Date.now() - this.#startMs < AFTER_MS) return;
    const scale =
      percent === undefined ? '…' : `${bar(percent, 100, WIDTH).padEnd(WIDTH)} ${String(Math.floor(percent))} %`;
    const text = step === undefined ? scale : `${step} ${scale}`;
    this.#io.stderr.write(`\r${this.#io.errorStyle.dim(text)}\u001b[K`);
    this.#drawn = true;
  }

  /** Takes the line away for good: rows are coming, or the query has ended. */
  clear(): void {
    this.#over = true;
    if (this.#drawn) this.#io.stderr.write('\r\u001b[K');
    this.#drawn = false;
  }
}
