/** sluice's side of the bench `delta`: one case in a fresh process, timed inside it. */
import { quoteFile } from '../../engine/quoting.ts';
import { DeltaTable, Engine } from '../../tables/index.ts';
import { childInput, finish, peakMiB } from '../child.ts';
import type { DeltaCase } from '../delta-case.ts';

export interface DeltaInput {
  readonly case: DeltaCase;
  /** The folder of the table: of both sides for `open` and `query`, of its own otherwise. */
  readonly table: string;
  /** A Parquet file: the rows of the table that `append` and `merge` make. */
  readonly rows: string;
  /** A Parquet file: what `merge` merges. */
  readonly changes: string;
  /** How many commits, or queries. */
  readonly times: number;
  /** The id that `query` looks for. */
  readonly id: number;
}

export interface DeltaResult {
  /** Each run of the case in the process; the first is cold. */
  readonly ms: readonly number[];
  readonly peakMiB: number;
  /** Files for `open`, rows that were found or are in the table for the others: both sides must agree. */
  readonly count: number;
}

const input = childInput() as DeltaInput;
const engine = await Engine.open();
const session = await engine.session();
const source = `FROM read_parquet(${quoteFile(input.rows)})`;
const at = (): DeltaTable => DeltaTable.at(input.table, { engine });
const ms: number[] = [];

async function timed<T>(work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work();
  ms.push(performance.now() - startMs);
  return result;
}

async function count(sql: string): Promise<number> {
  const [row] = await session.rows(sql);
  return Number(row?.['n']);
}

async function rowsOf(table: DeltaTable): Promise<number> {
  return count(`SELECT count(*) AS n FROM ${await (await table.snapshot()).relation()}`);
}

async function run(): Promise<number> {
  const table = at();
  switch (input.case) {
    case 'open':
      return timed(async () => (await at().snapshot()).files.length);
    case 'query': {
      let found = 0;
      for (let i = 0; i < input.times; i++) {
        found = await timed(async () => {
          const where = [{ column: 'id', op: '=' as const, value: input.id }];
          const relation = await (await at().snapshot()).relation({ where });
          return count(`SELECT count(*) AS n FROM ${relation} WHERE id = ${String(input.id)}`);
        });
      }
      return found;
    }
    case 'append':
      await timed(() => table.append(session, { source }));
      break;
    case 'commit':
      // The rows lie in memory, as those of delta-rs do.
      await session.run(`CREATE TEMP TABLE given AS ${source} LIMIT 200`);
      for (let i = 0; i < input.times; i++) {
        await timed(() => table.append(session, { source: 'FROM given' }));
      }
      break;
    case 'merge':
      await table.append(session, { source });
      await timed(() =>
        table.merge(session, {
          source: `FROM read_parquet(${quoteFile(input.changes)})`,
          on: 'target.id = source.id',
          whenMatched: [{ set: '*' }],
          whenNotMatched: [{ values: '*' }],
        }),
      );
      break;
  }
  return rowsOf(table);
}

const result = await run();
finish({ ms, peakMiB: peakMiB(), count: result } satisfies DeltaResult);
