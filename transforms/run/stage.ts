/**
 * From a batch to Parquet files: decode, the flow's query, its expectations; all inside DuckDB.
 *
 * Promise: nothing is visible until the caller commits. Every row of the batch is in the rows, counted as dropped by an
 * expectation, filtered by the query itself, or in quarantine.
 */
import { SluiceError } from '../../core/errors.ts';
import type { StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import type { Value } from '../../engine/values.ts';
import { decodeBatch, type DecodeSpec } from '../../ingest/decode/decode.ts';
import { afterPositions, QUARANTINE_SCHEMA } from '../../ingest/quarantine.ts';
import { FileLease, type AddFile, type DeltaTable } from '../../tables/index.ts';
import type { Expectation, Flow } from '../project.ts';
import type { ExpectationCount, Stage, Staged } from './land.ts';

export interface StageParts {
  readonly session: Session;
  readonly flow: Flow;
  readonly schema: StructType;
  readonly target: DeltaTable;
  readonly quarantine: DeltaTable;
  /** How raw records become columns; undefined for rows that have their columns already (another Delta table). */
  readonly decode: DecodeSpec | undefined;
  /** The tables that the flow reads whole, pinned for this batch. */
  readonly tables: () => Promise<ReadonlyMap<string, string>>;
}

/** How much of a row is shown that breaks an expectation. */
const SHOWN_CHARACTERS = 300;

export function stageWith(parts: StageParts): Stage {
  const { session, flow, quarantine } = parts;
  const stage: Stage = async (batch, quarantined) => {
    const decoded = parts.decode && (await decodeBatch(session, batch, parts.decode));
    try {
      const stream = decoded?.good ?? batch.relation;
      const kept = await stageQuery(parts, flow.query({ stream, tables: await parts.tables() }));
      const bad = decoded?.bad;
      try {
        const badFiles = bad === undefined ? [] : await stageBad(session, quarantine, afterPositions(bad, quarantined));
        return { ...kept, quarantine: badFiles, quarantined: rowsOf(badFiles) };
      } catch (error) {
        await parts.target.discard(kept.rows);
        throw error;
      }
    } finally {
      await decoded?.release();
    }
  };
  return (batch, quarantined) => FileLease.during(() => stage(batch, quarantined));
}

/** Stages what a query gives, expectations applied: for batches here, for whole materialized views elsewhere. */
export async function stageQuery(
  parts: Pick<StageParts, 'session' | 'flow' | 'schema' | 'target'>,
  query: string,
): Promise<Omit<Staged, 'quarantine' | 'quarantined'>> {
  const { session, flow, schema, target } = parts;
  const write = async (source: string): Promise<readonly AddFile[]> =>
    target.stage(session, source, {
      schema,
      partitionColumns: [...flow.partitionedBy],
      areWhole: flow.kind === 'materialized_view',
    });
  if (flow.expectations.length === 0) {
    const rows = await write(query);
    return { rows, rowsOut: rowsOf(rows), expectations: new Map() };
  }
  await session.run(`CREATE OR REPLACE TEMP TABLE expected AS ${query}`);
  try {
    const expectations = await countExpectations(session, flow);
    const kept = flow.expectations.filter((e) => e.onViolation === 'drop').map((e) => `((${e.condition}) IS TRUE)`);
    const rows = await write(`SELECT * FROM expected${kept.length === 0 ? '' : ` WHERE ${kept.join(' AND ')}`}`);
    return { rows, rowsOut: rowsOf(rows), expectations };
  } finally {
    await session.run('DROP TABLE IF EXISTS expected');
  }
}

async function countExpectations(session: Session, flow: Flow): Promise<ReadonlyMap<string, ExpectationCount>> {
  const passed = flow.expectations.map((e, i) => `count(*) FILTER ((${e.condition}) IS TRUE) AS p${String(i)}`);
  const [counts] = await session.rows(`SELECT count(*) AS n, ${passed.join(', ')} FROM expected`);
  const all = countIn(counts?.['n']);
  const result = new Map<string, ExpectationCount>();
  for (const [i, expectation] of flow.expectations.entries()) {
    const met = countIn(counts?.[`p${String(i)}`]);
    if (expectation.onViolation === 'fail' && met < all) throw await violated(session, flow, expectation, all - met);
    result.set(expectation.name, { passed: met, failed: all - met, action: expectation.onViolation });
  }
  return result;
}

async function violated(session: Session, flow: Flow, expectation: Expectation, failed: bigint): Promise<SluiceError> {
  const { name, condition } = expectation;
  const [row] = await session.rows(
    `SELECT left(expected::VARCHAR, ${String(SHOWN_CHARACTERS)}) AS row FROM expected WHERE (${condition}) IS NOT TRUE LIMIT 1`,
  );
  const { file, line, column } = flow.at;
  return new SluiceError(
    'EXPECTATION_FAILED',
    `${flow.target}: ${String(failed)} rows break the expectation ${name} (${condition}), which says FAIL UPDATE; ` +
      `the first is ${typeof row?.['row'] === 'string' ? row['row'] : 'unknown'}`,
    {
      advice: `Nothing of this batch was written. Mend the data, or change the expectation at ${file}:${String(line)}:${String(column)}.`,
      facts: { table: flow.target, expectation: name, failed, file, line, column },
    },
  );
}

async function stageBad(session: Session, quarantine: DeltaTable, bad: string): Promise<readonly AddFile[]> {
  return quarantine.stage(session, `SELECT * FROM ${bad} AS bad`, { schema: QUARANTINE_SCHEMA, partitionColumns: [] });
}

function countIn(value: Value | undefined): bigint {
  return typeof value === 'bigint' ? value : 0n;
}

function rowsOf(files: readonly AddFile[]): bigint {
  return files.reduce((sum, file) => sum + (file.rows ?? 0n), 0n);
}
