/**
 * A Delta table as the source of a streaming flow: each version's new files, in order.
 *
 * Promise: rows that a compaction only moved (`dataChange: false`) are not read again; a version that removed or changed rows
 * is refused, since what was derived from them cannot be taken back. The position is the last version consumed, under the
 * id of the source table, so that a table made anew under the same name is noticed.
 */
import { SluiceError } from '../../core/errors.ts';
import type { Batch, BatchLimits, Positions, Source } from '../../ingest/source.ts';
import { FileLease, type AddFile, type CommitSummary, type DeltaTable, type Snapshot } from '../../tables/index.ts';
import type { Signals } from '../../core/signals.ts';

export interface TableSourceParts {
  /** The source's name, `bronze.orders`. */
  readonly name: string;
  readonly table: DeltaTable;
  readonly signals: Signals;
  /** How long an idle read waits for versions of other writers; 0 when nothing more can come. */
  readonly idleMs: () => number;
}

/** Versions without any new row that are passed over before a commit says so: more would be read again at each start. */
const SKIPPED_AT_MOST = 100n;

export class TableSource implements Source {
  readonly #parts: TableSourceParts;
  /** Versions after the position that are known to bring no row. */
  #skipped: { readonly tableId: string; readonly after: bigint | undefined; readonly upTo: bigint } | undefined;

  constructor(parts: TableSourceParts) {
    this.#parts = parts;
  }

  async read(from: Positions, limits: BatchLimits, signal: AbortSignal): Promise<Batch | undefined> {
    const { signals, idleMs } = this.#parts;
    signal.throwIfAborted();
    const seen = signals.count;
    const batch = await this.#after(from, limits);
    const waitMs = idleMs();
    if (batch !== undefined || waitMs === 0) return batch;
    await signals.after(seen, waitMs, signal);
    return this.#after(from, limits);
  }

  async exhausted(from: Positions): Promise<boolean> {
    const batch = await this.#after(from, { rows: 1, bytes: 1, flushMs: 0 });
    await batch?.release();
    return batch === undefined;
  }

  async committed(): Promise<void> {
    // The position is in the target's own commit: a table keeps no list of its readers.
  }

  async close(): Promise<void> {
    // The table is the pipeline's, not this source's.
  }

  async #after(from: Positions, limits: BatchLimits): Promise<Batch | undefined> {
    const { table, name } = this.#parts;
    if (!(await table.exists())) return undefined;
    const snapshot = await table.snapshot();
    const position = this.#position(from, snapshot);
    if (position === snapshot.version) return undefined;
    const cut =
      position === undefined ? await this.#first(snapshot, limits) : await this.#next(position, snapshot, limits);
    if (cut.files.length === 0 && cut.version - (position ?? -1n) < SKIPPED_AT_MOST) {
      this.#skipped = { tableId: snapshot.tableId, after: position, upTo: cut.version };
      return undefined;
    }
    const lease = new FileLease();
    return {
      relation: await lease.run(() => snapshot.relation({ files: cut.files })),
      rows: cut.files.reduce((sum, file) => sum + Number(file.rows ?? 0n), 0),
      bytes: cut.files.reduce((sum, file) => sum + Number(file.bytes), 0),
      from: new Map(position === undefined ? [] : [[snapshot.tableId, position]]),
      upTo: new Map([[snapshot.tableId, cut.version]]),
      inputs: { [name]: `${position === undefined ? '' : `${String(position)}..`}${String(cut.version)}` },
      release: () => lease.end(),
    };
  }

  /** From the first version where the log still has it and rows were only ever added; else all that is there now. */
  async #first(snapshot: Snapshot, limits: BatchLimits): Promise<Cut> {
    const whole: Cut = { files: snapshot.files, version: snapshot.version };
    if (whole.files.length === 0) return whole;
    try {
      const commits = await this.#parts.table.changes(this.#unread(undefined, snapshot), snapshot.version);
      return commits.some((commit) => commit.removes.length > 0) ? whole : take(commits, limits);
    } catch (error) {
      if (error instanceof SluiceError && ['VERSION_NOT_FOUND', 'LOG_GAP'].includes(error.code)) return whole;
      throw error;
    }
  }

  async #next(position: bigint, snapshot: Snapshot, limits: BatchLimits): Promise<Cut> {
    const { table, name } = this.#parts;
    const first = this.#unread(position, snapshot);
    const commits = first > snapshot.version ? [] : await table.changes(first, snapshot.version);
    const changed = commits.findIndex((commit) => commit.removes.some((file) => file.dataChange));
    const cut = take(changed < 0 ? commits : commits.slice(0, changed), limits, first - 1n);
    const version = commits[changed]?.version;
    if (version === undefined || cut.files.length > 0) return cut;
    throw new SluiceError(
      'SOURCE_TABLE_CHANGED',
      `${name}@${String(version)} removed or changed rows, and a streaming table can only follow a source that appends`,
      {
        advice: `Make what reads STREAM(${name}) a MATERIALIZED VIEW, or delete the streaming table's folder to build it anew.`,
        facts: { table: name, version },
      },
    );
  }

  /** The first version that may have rows after the position. */
  #unread(position: bigint | undefined, { tableId }: Snapshot): bigint {
    const skipped = this.#skipped;
    const known = skipped?.tableId === tableId && skipped.after === position ? skipped.upTo : position;
    return (known ?? -1n) + 1n;
  }

  #position(from: Positions, snapshot: Snapshot): bigint | undefined {
    const own = from.get(snapshot.tableId);
    if (own !== undefined || from.size === 0) return own;
    throw new SluiceError(
      'SOURCE_TABLE_CHANGED',
      `${this.#parts.name} is not the table that was read before: its id was ${[...from.keys()].join(', ')} and is ${snapshot.tableId}`,
      {
        advice: 'Somebody made it anew. Delete the folder of the streaming table that reads it, and run again.',
        facts: { table: this.#parts.name, tableId: snapshot.tableId },
      },
    );
  }
}

interface Cut {
  readonly files: readonly AddFile[];
  readonly version: bigint;
}

/** Whole versions until a limit is met, and one with rows at least where there is one; `after` when there is none. */
function take(commits: readonly CommitSummary[], limits: BatchLimits, after = -1n): Cut {
  const files: AddFile[] = [];
  let [rows, bytes, version] = [0, 0, after];
  for (const commit of commits) {
    const added = commit.adds.filter((file) => file.dataChange);
    if (files.length > 0 && (rows >= limits.rows || bytes >= limits.bytes)) break;
    files.push(...added);
    rows += added.reduce((sum, file) => sum + Number(file.rows ?? 0n), 0);
    bytes += added.reduce((sum, file) => sum + Number(file.bytes), 0);
    version = commit.version;
  }
  return { files, version };
}
