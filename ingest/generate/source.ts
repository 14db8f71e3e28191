/** The generated stream as a source. */
import type { Clock } from '../../core/clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Batch, BatchLimits, Positions, Source } from '../source.ts';
import type { GenerateOptions } from './options.ts';

export interface GenerateParts {
  readonly options: GenerateOptions;
  readonly engine: Engine;
  readonly clock: Clock;
}

export class GenerateSource implements Source {
  readonly #parts: GenerateParts;

  constructor(parts: GenerateParts) {
    this.#parts = parts;
  }

  async read(_from: Positions, limits: BatchLimits, signal: AbortSignal): Promise<Batch | undefined> {
    await this.#parts.clock.sleep(limits.flushMs, signal);
    return undefined;
  }

  exhausted(): Promise<boolean> {
    return Promise.resolve(true);
  }

  committed(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
