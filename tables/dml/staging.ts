/**
 * What a change of rows has written so far: files of rows, files of changes of rows, and deletion vectors.
 *
 * Promise: rows are counted as they are written; when the work fails, all that it wrote is deleted.
 */
import type { AddFile } from '../log/actions.ts';
import type { OperatedOnRows, StagedFile } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Shape } from '../write.ts';
import { stageChanges } from './change-data.ts';
import { markRows, type Marked, type Places } from './mark.ts';
import { checkCount, rowsIn } from './shared.ts';

export interface Written {
  readonly add: readonly AddFile[];
  readonly changes: readonly AddFile[];
  /** All that was written, the files of deletion vectors too. */
  readonly staged: readonly StagedFile[];
}

export interface StagingOptions {
  /** Of the table after the change. */
  readonly shape: Shape;
  /** Whether what becomes of each row is recorded. */
  readonly records: boolean;
  /** For who gets another number of rows than was meant. */
  readonly advice: string;
}

/** @throws SluiceError what the work throws; nothing of it is left then */
export async function staging(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  options: StagingOptions,
  work: (to: Staging) => Promise<void>,
): Promise<Written> {
  const to = new Staging(parts, snapshot, options);
  try {
    await work(to);
    return to;
  } catch (error) {
    await parts.table.discard(to.staged).catch(() => undefined);
    throw error;
  }
}

export class Staging implements Written {
  readonly add: AddFile[] = [];
  readonly changes: AddFile[] = [];
  readonly staged: StagedFile[] = [];
  readonly #parts: OperatedOnRows;
  readonly #snapshot: Snapshot;
  readonly #options: StagingOptions;

  constructor(parts: OperatedOnRows, snapshot: Snapshot, options: StagingOptions) {
    this.#parts = parts;
    this.#snapshot = snapshot;
    this.#options = options;
  }

  /** Writes the rows of a query, which are so many. @param identities the last numbers that they got. @throws SluiceError `QUERY_FAILED` when they are not */
  async rows(query: string, wanted: bigint, identities: ReadonlyMap<string, bigint> = new Map()): Promise<void> {
    const { table, session } = this.#parts;
    const files = await table.stage(session, query, {
      ...this.#options.shape,
      madeFor: this.#snapshot,
      keepsIdentities: true,
      identities,
    });
    this.staged.push(...files);
    this.add.push(...files);
    checkCount(this.#snapshot, rowsIn(files), wanted, this.#options.advice);
  }

  /** Takes rows out of files that keep others. */
  async mark(marked: readonly Marked[], places: Places): Promise<void> {
    const { add, staged } = await markRows(this.#parts, this.#snapshot, marked, places);
    this.staged.push(...staged);
    this.add.push(...add);
  }

  /** Writes what became of rows, where it is to be recorded. @param queries as of `stageChanges`; not asked for otherwise */
  async record(queries: () => readonly string[] | Promise<readonly string[]>): Promise<void> {
    if (!this.#options.records) return;
    const files = await stageChanges(this.#parts, this.#options.shape, await queries());
    this.staged.push(...files);
    this.changes.push(...files);
  }
}
