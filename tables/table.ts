/** A Delta table: opened, read at any version, appended to and overwritten. */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { StructType } from '../core/schema.ts';
import type { Engine } from '../engine/engine.ts';
import type { Session } from '../engine/session.ts';
import type { Change, CommitResult, CommitSummary, HistoryEntry } from './change.ts';
import type { AddFile } from './log/actions.ts';
import type { Snapshot } from './snapshot.ts';
import type { ObjectStore } from './store/object-store.ts';
import { openStore } from './store/open.ts';
import { discardFiles, writeFiles } from './write.ts';

export interface TableParts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  /** A checkpoint is due every so many commits (default 10), unless the table's own properties say otherwise. */
  readonly checkpointInterval?: number;
}

export class DeltaTable {
  readonly location: string;
  readonly #store: ObjectStore;
  readonly #parts: TableParts;

  private constructor(store: ObjectStore, parts: TableParts) {
    this.location = store.location;
    this.#store = store;
    this.#parts = parts;
  }

  static at(location: string | ObjectStore, parts: TableParts): DeltaTable {
    return new DeltaTable(typeof location === 'string' ? openStore(location) : location, parts);
  }

  exists(): Promise<boolean> {
    return this.#unbuilt();
  }

  snapshot(at?: bigint | Date): Promise<Snapshot> {
    return this.#unbuilt(at);
  }

  stage(
    session: Session,
    query: string,
    shape: { readonly schema: StructType; readonly partitionColumns: readonly string[] },
  ): Promise<AddFile[]> {
    return writeFiles(session, query, { store: this.#store, ...this.#parts, ...shape });
  }

  commit(change: Change): Promise<CommitResult> {
    return this.#unbuilt(change);
  }

  discard(files: readonly AddFile[]): Promise<void> {
    return discardFiles(this.#store, files);
  }

  changes(from: bigint, upTo: bigint): Promise<CommitSummary[]> {
    return this.#unbuilt(from, upTo);
  }

  history(limit?: number): Promise<HistoryEntry[]> {
    return this.#unbuilt(limit);
  }

  #unbuilt(...what: unknown[]): Promise<never> {
    return Promise.reject(new SluiceError('INTERNAL', `not there yet (${String(what.length)})`));
  }
}
