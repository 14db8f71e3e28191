/** MERGE: what a table then holds is what a model of it holds, whatever clauses there are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../../core/random.ts';
import type { InsertClause, MergeOptions, RowClause } from '../../../tables/index.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

interface ModelRow {
  readonly id: number;
  readonly v: number;
}
type Holds = (target: ModelRow | undefined, source: ModelRow | undefined) => boolean;
interface Clause {
  readonly sql: string | undefined;
  readonly holds: Holds;
  /** What becomes of the row; undefined: it goes. */
  readonly becomes: (target: ModelRow | undefined, source: ModelRow | undefined) => ModelRow | undefined;
  readonly does: object;
}

const sorted = (rows: readonly ModelRow[]): ModelRow[] => [...rows].sort((a, b) => a.id - b.id || a.v - b.v);
const valuesOf = (rows: readonly ModelRow[]): string =>
  rows.length === 0
    ? 'SELECT 0::BIGINT AS id, 0::BIGINT AS v WHERE false'
    : `SELECT * FROM (VALUES ${rows.map(({ id, v }) => `(${String(id)}::BIGINT, ${String(v)}::BIGINT)`).join(', ')}) AS t(id, v)`;

async function rowsOf(table: DeltaTable): Promise<ModelRow[]> {
  return sorted((await lab.rows(table)).map(({ id, v }) => ({ id: Number(id), v: Number(v) })));
}

const pick = <T>(random: Random, some: readonly T[]): T => some[random.int(some.length)] as T;

function condition(random: Random, of: 'target' | 'source'): Pick<Clause, 'sql' | 'holds'> {
  const n = random.int(5);
  return pick<Pick<Clause, 'sql' | 'holds'>>(random, [
    { sql: undefined, holds: () => true },
    { sql: `${of}.v % 5 = ${String(n)} -- and no more`, holds: (target, source) => ((of === 'target' ? target : source)?.v ?? 0) % 5 === n },
    { sql: 'NULL', holds: () => false },
  ]);
} // prettier-ignore

function rowClauses(random: Random, hasSource: boolean): Clause[] {
  return Array.from({ length: random.int(3) }, (): Clause => {
    const own = condition(random, hasSource && random.int(2) === 0 ? 'source' : 'target');
    return pick<Clause>(random, [
      { ...own, becomes: () => undefined, does: { delete: true } },
      { ...own, becomes: (target) => target && { id: target.id, v: target.v + 1 }, does: { set: { V: 'target.v + 1' } } },
      ...(hasSource ? [{ ...own, becomes: (_: ModelRow | undefined, source: ModelRow | undefined) => source, does: { set: '*' as const } }] : []),
    ]);
  });
} // prettier-ignore

function insertClauses(random: Random): Clause[] {
  return Array.from({ length: random.int(3) }, (): Clause => {
    const own = condition(random, 'source');
    return pick<Clause>(random, [
      { ...own, becomes: (_, source) => source, does: { values: '*' } },
      { ...own, becomes: (_, source) => source && { id: source.id, v: -1 }, does: { values: { id: 'source.id', v: '-1' } } },
    ]);
  });
} // prettier-ignore

const asOptions = <T>(clauses: readonly Clause[]): T[] =>
  clauses.map(({ sql, does }) => ({ ...(sql === undefined ? {} : { condition: sql }), ...does }) as T);

test.each(Array.from({ length: 40 }, (_, i) => i + 1))('any clauses, seed %i', async (seed) => {
  const random = seededRandom(seed);
  const store = lab.store();
  const table = lab.table(store);
  let rows: ModelRow[] = [];
  for (let files = 0; files < 3; files++) {
    const more = Array.from({ length: 8 }, (_, i) => ({ id: files * 8 + i, v: random.int(30) }));
    rows.push(...more);
    await lab.written(table, valuesOf(more));
  }
  const ids = Array.from({ length: 40 }, (_, i) => i).filter(() => random.int(3) === 0);
  const source = ids.map((id) => ({ id, v: random.int(30) }));
  const matched = rowClauses(random, true);
  const missing = rowClauses(random, false);
  const inserts = insertClauses(random);
  const options: MergeOptions = {
    source: valuesOf(source),
    on: 'target.id = source.id -- keys',
    whenMatched: asOptions<RowClause>(matched),
    whenNotMatchedBySource: asOptions<RowClause>(missing),
    whenNotMatched: asOptions<InsertClause>(inserts),
  };
  const counts = { inserted: 0n, updated: 0n, deleted: 0n };
  const sourceOf = new Map(source.map((row) => [row.id, row]));
  const known = new Set(rows.map(({ id }) => id));
  rows = rows.flatMap((row) => {
    const own = sourceOf.get(row.id);
    const clause = (own === undefined ? missing : matched).find(({ holds }) => holds(row, own));
    if (clause === undefined) return [row];
    const after = clause.becomes(row, own);
    counts[after === undefined ? 'deleted' : 'updated']++;
    return after === undefined ? [] : [after];
  });
  for (const row of source.filter(({ id }) => !known.has(id))) {
    const after = inserts.find(({ holds }) => holds(undefined, row))?.becomes(undefined, row);
    if (after === undefined) continue;
    rows.push(after);
    counts.inserted++;
  }
  const before = (await table.snapshot()).version;
  const { version, ...result } = await table.merge(lab.session, options);
  const said = JSON.stringify(options, null, 1);
  expect(result, said).toMatchObject(counts);
  expect(await rowsOf(lab.table(store)), said).toEqual(sorted(rows));
  const isNothing = Object.values(counts).every((count) => count === 0n);
  expect(version, said).toBe(isNothing ? undefined : before + 1n);
});

test('a row that several rows of the source would change is an error; that they agree to delete it is none', async () => {
  const table = lab.table();
  await lab.written(table, valuesOf([{ id: 1, v: 1 }, { id: 2, v: 2 }])); // prettier-ignore
  const source = valuesOf([{ id: 1, v: 8 }, { id: 1, v: 9 }]); // prettier-ignore
  const merge = (more: Partial<MergeOptions>) => table.merge(lab.session, { source, on: 'target.id = source.id', ...more });
  await expect(merge({ whenMatched: [{ set: '*' }] })).rejects.toMatchObject({ code: 'MERGE_AMBIGUOUS', message: expect.stringContaining('1 rows') as string });
  await expect(merge({ whenMatched: [{ condition: 'true', delete: true }] })).rejects.toMatchObject({ code: 'MERGE_AMBIGUOUS' });
  expect((await table.snapshot()).version).toBe(0n);
  // Only one of the two meets a clause.
  expect(await merge({ whenMatched: [{ condition: 'source.v = 9', set: '*' }] })).toMatchObject({ updated: 1n });
  expect(await rowsOf(table)).toEqual([{ id: 1, v: 9 }, { id: 2, v: 2 }]);
  expect(await merge({ whenMatched: [{ delete: true }] })).toMatchObject({ deleted: 1n });
  expect(await rowsOf(table)).toEqual([{ id: 2, v: 2 }]);
}); // prettier-ignore

test('into partitions, with other names in the source, and into an empty table', async () => {
  const table = lab.table();
  const partitionColumns = ['day'];
  const shape = `SELECT 1::BIGINT AS id, DATE '2026-01-01' AS day, 'old' AS "odd ""name"`;
  await lab.written(table, `${shape} WHERE false`, { schema: await lab.schemaOf(shape.replace('"odd ""name"', 'name')), partitionColumns }); // prettier-ignore
  const source = `SELECT * FROM (VALUES (1, DATE '2026-01-01', 'a'), (2, NULL, 'b'), (3, DATE '2026-01-02', 'c')) AS t(key, "when", label)`;
  const values = { id: 'source.key', day: 'source."when"', name: 'upper(label)' };
  const merge = () => table.merge(lab.session, { source, on: 'target.id = source.key', whenMatched: [{ set: { day: 'source."when" + INTERVAL 1 DAY' } }], whenNotMatched: [{ values }] }); // prettier-ignore
  expect(await merge()).toMatchObject({ inserted: 3n, updated: 0n, filesAdded: 3 });
  expect(await merge()).toMatchObject({ inserted: 0n, updated: 3n, filesRemoved: 3 });
  expect((await lab.rows(table)).map(({ id, day, name }) => [id, day, name])).toEqual([
    [1n, '2026-01-02', 'A'],
    [2n, null, 'B'],
    [3n, '2026-01-03', 'C'],
  ]);
});

test('merges that race do not insert a key twice', async () => {
  const store = new BusyStore('memory://busy', lab.clock);
  const [ours, theirs] = [lab.table(store), lab.table(store)];
  await lab.written(ours, valuesOf([{ id: 1, v: 1 }]));
  const options: MergeOptions = { source: valuesOf([{ id: 1, v: 5 }, { id: 2, v: 5 }]), on: 'target.id = source.id', whenMatched: [{ set: { v: 'target.v + source.v' } }], whenNotMatched: [{ values: '*' }] }; // prettier-ignore
  const other = await lab.engine.session();
  store.before.push(() => theirs.merge(other, options));
  await ours.merge(lab.session, options);
  other.close();
  expect(await rowsOf(lab.table(store))).toEqual([{ id: 1, v: 11 }, { id: 2, v: 10 }]); // prettier-ignore
  await store.close();
});

test('what is wrong is said, and nothing changes', async () => {
  const table = lab.table();
  await lab.written(table, valuesOf([{ id: 1, v: 1 }]));
  const source = 'SELECT 1::BIGINT AS id, 2 AS w';
  const base = { source, on: 'target.id = source.id' };
  const wrong: [MergeOptions, string, RegExp][] = [
    [{ ...base, on: 'target.idd = source.id' }, 'SQL_INVALID', /idd/],
    [{ ...base, on: 'id = ' }, 'SQL_SYNTAX', /: id =/],
    [{ ...base, on: 'target.id = source.id AND random() < 2' }, 'SQL_INVALID', /random\(\)/],
    [{ ...base, source: 'SELEC 1' }, 'SQL_SYNTAX', /./],
    [{ ...base, whenMatched: [{ set: '*' }] }, 'UNKNOWN_COLUMN', /source has no column v/],
    [{ ...base, whenMatched: [{ set: { vv: '1' } }] }, 'UNKNOWN_COLUMN', /no column vv/],
    [{ ...base, whenMatched: [{ set: { v: `'word'` } }] }, 'VALUE_OUT_OF_RANGE', /word/],
  ];
  for (const [options, code, message] of wrong) {
    await expect(table.merge(lab.session, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect((await table.snapshot()).version).toBe(0n);
    expect(await lab.session.rows(`SELECT table_name FROM duckdb_tables()`)).toEqual([]);
  }
}); // prettier-ignore
