/**
 * Auto compaction: a table that is fed by small commits has its small files put together while it is written.
 *
 * Promise: in the background, on a session of its own, and never in the way of a commit: appends are not disturbed, and a
 * compaction that loses to a delete or update is made anew or left for later. One at a time for an engine, a step of a GiB at
 * most each; a failure is told and harms nothing. Streams pass over what it commits. Source: Databricks, "Auto compaction for
 * Delta Lake"; Delta's `delta.autoOptimize.autoCompact`.
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Engine } from '../../engine/engine.ts';
import type { AddFile } from '../log/actions.ts';
import { operate, type Steps } from '../operation.ts';
import { partitionsOf, tiersOf } from './bins.ts';
import { compactStep } from './optimize.ts';

/** What a compaction in the background came to. */
export type Compaction =
  | { readonly table: string; readonly version: bigint; readonly filesAdded: number; readonly filesRemoved: number }
  | { readonly table: string; readonly error: SluiceError };

export interface AutoCompactParts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether tables that do not say so themselves are compacted. @default false */
  readonly autoCompact?: boolean;
  /** Told of each compaction that changed something, or failed. */
  readonly onCompaction?: (compaction: Compaction) => void;
}

/** So many small files of a partition are worth it: what Delta waits for as well. */
const FILES_LEAST = 50;
const TARGET_BYTES = 128 * 2 ** 20;
const SMALL_BYTES = TARGET_BYTES / 2;

/** The last compaction that an engine was given. */
const queues = new WeakMap<Engine, Promise<void>>();

export class AutoCompaction {
  readonly #table: Steps;
  readonly #parts: AutoCompactParts;
  readonly #stop = new AbortController();
  /** How many small files of like size each partition has, as far as is known; those of a partition that was not looked at yet are as many as it takes. */
  readonly #small = new Map<string, number>();
  #running: Promise<void> | undefined;

  constructor(table: Steps, parts: AutoCompactParts) {
    this.#table = table;
    this.#parts = parts;
  }

  /** Takes note of a commit, and begins when it is time. Returns at once. */
  committed(properties: Readonly<Record<string, string>>, added: readonly AddFile[]): void {
    if (!isWanted(properties, this.#parts.autoCompact ?? false)) return;
    let isDue = false;
    for (const [partition, files] of partitionsOf(added.filter(isSmall))) {
      const small = (this.#small.get(partition) ?? FILES_LEAST) + files.length;
      this.#small.set(partition, small);
      isDue ||= small >= FILES_LEAST;
    }
    if (isDue && !this.#stop.signal.aborted) this.#running ??= this.#queued();
  }

  /** Waits for what is under way. @param stop ends it instead, and begins nothing any more */
  async settle(stop: boolean): Promise<void> {
    if (stop) this.#stop.abort();
    await this.#running;
  }

  async #queued(): Promise<void> {
    const { engine } = this.#parts;
    const turn = (queues.get(engine) ?? Promise.resolve()).then(() => this.#run());
    queues.set(engine, turn);
    await turn;
    this.#running = undefined;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { onCompaction } = this.#parts;
    const table = this.#table.location;
    try {
      while (!this.#stop.signal.aborted) {
        const { version, added, removed } = await this.#step();
        if (version === undefined) return;
        onCompaction?.({ table, version, filesAdded: added.length, filesRemoved: removed.length });
      }
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      const error =
        thrown instanceof SluiceError
          ? thrown
          : new SluiceError('INTERNAL', `${table}: auto compaction failed`, { cause: thrown });
      onCompaction?.({ table, error });
    }
  }

  async #step() {
    const { engine, clock, random } = this.#parts;
    const { signal } = this.#stop;
    const session = await engine.session();
    try {
      return await operate({ table: this.#table, clock, random, signal }, 'files', (snapshot) => {
        const known = new Set(this.#small.keys());
        const files: AddFile[] = [];
        for (const [partition, small] of partitionsOf(snapshot.files.filter(isSmall))) {
          if (!known.has(partition)) continue;
          const tiers = tiersOf(small);
          this.#small.set(partition, Math.max(...tiers.map((tier) => tier.length)));
          known.delete(partition);
          files.push(...tiers.filter((tier) => tier.length >= FILES_LEAST).flat());
        }
        for (const gone of known) this.#small.delete(gone);
        const parts = { table: this.#table, session, clock, random };
        return compactStep(parts, snapshot, files, { targetBytes: TARGET_BYTES, signal, auto: true });
      });
    } finally {
      session.close();
    }
  }
}

function isWanted(properties: Readonly<Record<string, string>>, otherwise: boolean): boolean {
  const own = properties['delta.autoOptimize.autoCompact']?.toLowerCase();
  return own === undefined ? otherwise : ['true', 'auto', 'legacy'].includes(own);
}

function isSmall({ bytes, clusteringProvider }: AddFile): boolean {
  // What is in order stays so.
  return Number(bytes) < SMALL_BYTES && clusteringProvider === undefined;
}
