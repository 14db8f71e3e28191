/**
 * One batch into its tables: what is malformed into quarantine first, then the rows, each with the position in the same
 * commit.
 *
 * Promise (nothing lost, nothing twice): whatever step this stops at, reading again from the table's position gives the
 * same rows in the same tables. A crash between the two commits leaves quarantine ahead; `stage` is told how far, and skips
 * what is there already. A commit that finds a position other than the one that the batch started from has lost a race:
 * its files are thrown away and the caller reads again.
 */
import type { JsonObject } from '../../core/json.ts';
import type { StructType } from '../../core/schema.ts';
import { QUARANTINE_SCHEMA } from '../../ingest/quarantine.ts';
import type { Batch, Positions } from '../../ingest/source.ts';
import type { AddFile, Change, CommitResult, Conflict, DeltaTable } from '../../tables/index.ts';
import { moveTo, positionsOf } from './positions.ts';

/** How many rows met an expectation and how many did not, and what was done with those. */
export interface ExpectationCount {
  readonly passed: bigint;
  readonly failed: bigint;
  readonly action: 'warn' | 'drop' | 'fail';
}

/** Files that are written and durable, but in no table yet. */
export interface Staged {
  readonly rows: readonly AddFile[];
  readonly quarantine: readonly AddFile[];
  readonly rowsOut: bigint;
  readonly quarantined: bigint;
  readonly expectations: ReadonlyMap<string, ExpectationCount>;
}

/** Turns a batch into files; malformed records that lie before `quarantined` are there already and are left out. */
export type Stage = (batch: Batch, quarantined: Positions) => Promise<Staged>;

/** The part of a Delta table that landing needs. */
export type LandingTable = Pick<DeltaTable, 'commit' | 'discard' | 'exists' | 'snapshot'>;

export interface Landing {
  readonly flow: string;
  readonly target: LandingTable;
  readonly quarantine: LandingTable;
  readonly stage: Stage;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
}

export type Landed =
  | { readonly kind: 'committed'; readonly version: bigint; readonly staged: Staged }
  | { readonly kind: 'lost'; readonly reason: Conflict };

/** How far the flow has come, by its own table. */
export async function landedPositions(flow: string, table: LandingTable): Promise<Positions> {
  if (!(await table.exists())) return new Map();
  return positionsOf(flow, (await table.snapshot()).txn);
}

/**
 * Lands one batch.
 * @throws SluiceError `EXPECTATION_FAILED` before anything is visible; `STORAGE_*`, `COMMIT_CONTENTION` from the table.
 */
export async function land(batch: Batch, landing: Landing): Promise<Landed> {
  const { flow, target, quarantine } = landing;
  const quarantined = await landedPositions(flow, quarantine);
  const staged = await landing.stage(batch, quarantined);
  const info = explain(flow, batch, staged);
  const append = async (
    table: LandingTable,
    files: readonly AddFile[],
    at: Positions,
    to: Positions,
    what: Partial<Change>,
  ) =>
    committedOrDiscarded(table, files, {
      operation: 'STREAMING UPDATE',
      mode: 'append',
      add: files,
      operationParameters: { outputMode: 'Append', queryId: flow },
      info,
      ...moveTo(flow, at, to),
      ...what,
    });

  if (staged.quarantine.length > 0) {
    const result = await append(quarantine, staged.quarantine, quarantined, furthest(quarantined, batch.upTo), {
      schema: QUARANTINE_SCHEMA,
    });
    if (result.kind === 'conflict') {
      await target.discard(staged.rows);
      return { kind: 'lost', reason: result.reason };
    }
  }
  const result = await append(target, staged.rows, batch.from, batch.upTo, {
    schema: landing.schema,
    partitionColumns: [...landing.partitionColumns],
  });
  return result.kind === 'conflict'
    ? { kind: 'lost', reason: result.reason }
    : { kind: 'committed', version: result.version, staged };
}

/** Quarantine may be ahead of this batch on some partitions (a crash between the commits): it never goes back. */
function furthest(quarantined: Positions, upTo: Positions): Positions {
  const at = (partition: string, to: bigint): bigint => {
    const before = quarantined.get(partition);
    return before !== undefined && before > to ? before : to;
  };
  return new Map([...upTo].map(([partition, to]) => [partition, at(partition, to)]));
}

/** Only a commit that is known to have lost may throw its files away: after any other failure they may be in the table. */
async function committedOrDiscarded(
  table: LandingTable,
  files: readonly AddFile[],
  change: Change,
): Promise<CommitResult> {
  const result = await table.commit(change);
  if (result.kind === 'conflict') await table.discard(files);
  return result;
}

function explain(flow: string, batch: Batch, staged: Staged): JsonObject {
  const expectations = [...staged.expectations].map(([name, count]) => [name, { ...count }] as const);
  return {
    flow,
    inputs: batch.inputs,
    rowsIn: batch.rows,
    rowsOut: staged.rowsOut,
    quarantined: staged.quarantined,
    ...(expectations.length === 0 ? {} : { expectations: Object.fromEntries(expectations) }),
  };
}
