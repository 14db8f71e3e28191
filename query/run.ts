/**
 * A prepared statement runs: its rows are streamed, its progress told, and what was made for it is taken away at the end.
 *
 * Promise: whatever way it ends (read to the end, left early, failed, stopped), the session is left as it was.
 */
import type { SourceText } from '../core/source-text.ts';
import type { ResultStream, Session } from '../engine/session.ts';
import { missingDataFile, type FileLease, type TableParts } from '../tables/index.ts';
import { placedError } from './errors.ts';
import type { Pinned } from './pin.ts';
import { watch } from './progress.ts';

export interface QueryParts extends TableParts {
  /** What error messages call the text: a file, or `query`. */
  readonly file?: string;
  /** Aborted to stop the statement that runs: it fails with `INTERRUPTED`. */
  readonly signal?: AbortSignal;
  /** Told a few times a second how far a long statement is, in percent, where DuckDB can tell. */
  readonly onProgress?: (percent: number) => void;
}

/** A statement that runs. The session is its own until the last batch is read or `close` was called. */
export interface Query extends ResultStream {
  /** The table versions that it reads, by name (`silver.orders`, `silver.orders@v3` for time travel, the path for `delta_scan`). */
  readonly versions: ReadonlyMap<string, bigint>;
  /** Gives the session back before the last batch. Idempotent. */
  close(): Promise<void>;
}

export interface Prepared {
  readonly source: SourceText;
  readonly sql: string;
  readonly toOriginal: (offset: number) => number;
  readonly pinned: readonly Pinned[];
  readonly macros: readonly string[];
}

/** With what keeps the files that the statement reads. */
export interface LeasedParts extends QueryParts {
  readonly lease: FileLease;
}

/** Starts the statement. @throws SluiceError as `openQuery` says. */
export async function runPrepared(session: Session, prepared: Prepared, parts: LeasedParts): Promise<Query> {
  const { source, sql, toOriginal, pinned, macros } = prepared;
  const columns = [...new Set(pinned.flatMap(({ snapshot }) => snapshot.schema.fields.map(({ name }) => name)))];
  const tables = pinned.map(({ snapshot }) => snapshot);
  const placed = (error: unknown): unknown => placedError(error, { source, toOriginal, columns, tables });
  const watching = await watch(session, parts);
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await watching.stop();
    for (const i of macros.keys()) await session.run(`DROP MACRO TABLE IF EXISTS temp.__sluice_${String(i)}`);
    await parts.lease.end();
  };
  try {
    for (const macro of macros) await session.run(macro);
  } catch (error) {
    await close();
    throw missingDataFile(error, tables) ?? error;
  }
  try {
    const result = await session.stream(sql);
    return {
      columns: result.columns,
      versions: new Map(pinned.map(({ key, snapshot }) => [key, snapshot.version])),
      batches: () => batchesOf(result, placed, close),
      close,
    };
  } catch (error) {
    await close();
    throw placed(error);
  }
}

async function* batchesOf(
  result: ResultStream,
  placed: (error: unknown) => unknown,
  close: () => Promise<void>,
): ReturnType<ResultStream['batches']> {
  try {
    yield* result.batches();
  } catch (error) {
    throw placed(error);
  } finally {
    await close();
  }
}
