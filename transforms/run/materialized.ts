/**
 * The refresh of a materialized view: the whole query again, over pinned versions of its inputs.
 *
 * Promise: a commit of the view names the versions it was made from, and exactly those; a view whose inputs have not changed
 * since, and whose definition is the same, is left alone.
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { FileLease, type DeltaTable, type Snapshot } from '../../tables/index.ts';
import type { Flow } from '../project.ts';
import type { RunEvent } from './events.ts';
import { DEFINITION_HASH } from '../flow.ts';
import { moveTo, positionsOf } from './positions.ts';
import { stageQuery } from './stage.ts';

/** Versions of an input without any change of rows, after which the view is refreshed all the same to say so. */
const UNCHANGED_AT_MOST = 100n;
/** How often a refresh that loses its race is made again. */
const ATTEMPTS = 5;

export interface RefreshParts {
  readonly flow: Flow;
  readonly session: Session;
  readonly schema: StructType;
  readonly target: DeltaTable;
  readonly inputs: ReadonlyMap<string, DeltaTable>;
  readonly clock: Clock;
  readonly onEvent: (event: RunEvent) => void;
}

/**
 * Refreshes the view when it is out of date.
 * @returns whether a commit was made.
 * @throws SluiceError `EXPECTATION_FAILED`, `SQL_INVALID`, `STORAGE_*`, `COMMIT_CONTENTION` when others are always first.
 */
export async function refresh(parts: RefreshParts): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const outcome = await FileLease.during(() => refreshOnce(parts));
    if (outcome !== 'lost') return outcome === 'committed';
  }
  throw new SluiceError(
    'COMMIT_CONTENTION',
    `${parts.flow.target}: other writers were first ${String(ATTEMPTS)} times`,
    {
      advice: 'Let only one process refresh this view, or run again.',
      facts: { table: parts.flow.target },
    },
  );
}

async function refreshOnce(parts: RefreshParts): Promise<'committed' | 'fresh' | 'lost'> {
  const { flow, target, clock } = parts;
  const startMs = clock.nowMs();
  const pinned = new Map<string, Snapshot>();
  for (const [name, table] of parts.inputs) pinned.set(name, await table.snapshot());
  const current = (await target.exists()) ? await target.snapshot() : undefined;
  if (current !== undefined && !(await outOfDate(parts, current, pinned))) return 'fresh';

  const relations = new Map<string, string>();
  for (const [name, snapshot] of pinned) relations.set(name, await snapshot.relation());
  const staged = await stageQuery(parts, flow.query({ tables: relations }));
  const versions = new Map([...pinned.values()].map((snapshot) => [snapshot.tableId, snapshot.version]));
  const from = current === undefined ? new Map<string, bigint>() : positionsOf(flow.target, current.txn);
  const result = await target.commit({
    operation: 'REFRESH MATERIALIZED VIEW',
    mode: 'overwrite',
    add: staged.rows,
    schema: parts.schema,
    partitionColumns: [...flow.partitionedBy],
    properties: { ...flow.properties, [DEFINITION_HASH]: flow.definitionHash },
    ...(flow.comment === undefined ? {} : { comment: flow.comment }),
    ...moveTo(flow.target, from, versions),
    info: {
      flow: flow.target,
      inputs: Object.fromEntries([...pinned].map(([name, snapshot]) => [name, String(snapshot.version)])),
      rowsOut: staged.rowsOut,
      ...(staged.expectations.size === 0
        ? {}
        : { expectations: Object.fromEntries([...staged.expectations].map(([name, count]) => [name, { ...count }])) }),
    },
  });
  if (result.kind === 'conflict') {
    await target.discard(staged.rows);
    return 'lost';
  }
  parts.onEvent({
    kind: 'batch_committed',
    flow: flow.target,
    version: result.version,
    rows: staged.rowsOut,
    quarantined: 0n,
    dropped: [...staged.expectations.values()].reduce((sum, c) => sum + (c.action === 'drop' ? c.failed : 0n), 0n),
    durationMs: clock.nowMs() - startMs,
  });
  return 'committed';
}

async function outOfDate(
  parts: RefreshParts,
  current: Snapshot,
  pinned: ReadonlyMap<string, Snapshot>,
): Promise<boolean> {
  if (current.properties[DEFINITION_HASH] !== parts.flow.definitionHash) return true;
  const consumed = positionsOf(parts.flow.target, current.txn);
  for (const [name, snapshot] of pinned) {
    const at = consumed.get(snapshot.tableId);
    if (at === undefined || at > snapshot.version) return true;
    if (snapshot.version - at >= UNCHANGED_AT_MOST) return true;
    if (at < snapshot.version && (await dataChanged(parts.inputs.get(name), at, snapshot.version))) return true;
  }
  return false;
}

/** Compactions and commits that only move positions make new versions with the same rows. */
async function dataChanged(table: DeltaTable | undefined, after: bigint, upTo: bigint): Promise<boolean> {
  try {
    const commits = (await table?.changes(after + 1n, upTo)) ?? [];
    return commits.some((c) => c.metadataChanged || [...c.adds, ...c.removes].some((file) => file.dataChange));
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'VERSION_NOT_FOUND') return true;
    throw error;
  }
}
