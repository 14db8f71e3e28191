/** OPTIMIZE … ZORDER BY: the same rows, in files of which conditions on any of the columns leave most unread. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hilbertIndex } from '../../../tables/maintain/hilbert.ts';
import type { DeltaTable } from '../../../tables/index.ts';
import { prune } from '../../../tables/prune.ts';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

test.each([
  [1, 6],
  [2, 8],
  [3, 5],
  [4, 4],
  [5, 3],
  [8, 2],
])('a curve through %i dimensions of %i bits visits each cell once, a step at a time', (dimensions, bits) => {
  const places = new Map<number, number[]>();
  for (let cell = 0; cell < 2 ** (bits * dimensions); cell++) {
    const coordinates = Array.from({ length: dimensions }, (_, i) => (cell >> (bits * i)) & (2 ** bits - 1));
    places.set(hilbertIndex(coordinates, bits), coordinates);
  }
  expect(places.size).toBe(2 ** (bits * dimensions));
  let jumps = 0;
  for (let place = 1; place < places.size; place++) {
    const [a = [], b = []] = [places.get(place - 1), places.get(place)];
    if (a.reduce((sum, x, i) => sum + Math.abs(x - (b[i] ?? 0)), 0) !== 1) jumps++;
  }
  expect(jumps).toBe(0);
});

const ROWS = `SELECT range AS id, (hash(range) % 1000)::INTEGER AS a, ('k' || lpad((hash(range * 7) % 1000)::VARCHAR, 4, '0')) AS b, DATE '2026-01-01' + (hash(range * 13) % 300)::INTEGER AS c, repeat('x', 20) || hash(range)::VARCHAR AS filler FROM range(20000)`;

/** Of all files, the share that a value of a column lets be read, over some values. */
async function shareRead(table: DeltaTable, column: 'a' | 'b' | 'c'): Promise<number> {
  const { files, schema, partitionColumns } = await table.snapshot();
  const values = Array.from({ length: 20 }, (_, i) => i * 49);
  const of = {
    a: (i: number) => BigInt(i),
    b: (i: number) => `k${String(i).padStart(4, '0')}`,
    c: (i: number) => new Date(Date.UTC(2026, 0, 1 + (i % 300))).toISOString().slice(0, 10),
  };
  const shape = { schema, partitionColumns, mapping: 'none' as const };
  const read = values.map((i) => prune(files, shape, [{ column, op: '=', value: of[column](i) }]).length);
  return read.reduce((sum, n) => sum + n, 0) / values.length / files.length;
}

test('any of three columns finds its rows in few of the files, and the rows are the same', async () => {
  const table = lab.table();
  for (let i = 0; i < 8; i++)
    await lab.written(table, ROWS.replace('range(20000)', `range(${String(i * 2500)}, ${String((i + 1) * 2500)})`));
  const before = await lab.rows(table);
  expect(await shareRead(table, 'a')).toBe(1);
  const bytes = Number((await table.snapshot()).bytes);
  const done = await table.optimize(lab.session, { zOrderBy: ['A', 'b', 'c'], targetBytes: Math.ceil(bytes / 64) });
  expect(done).toMatchObject({ filesRemoved: 8, filesAdded: 64 });
  expect(await lab.rows(table)).toEqual(before);
  for (const column of ['a', 'b', 'c'] as const) expect(await shareRead(table, column), column).toBeLessThan(0.45);
  const [entry] = await table.history(1);
  expect(entry?.operationParameters).toEqual({ predicate: '[]', zOrderBy: '["a","b","c"]', auto: 'false' });
});

test('what is in order is left alone, until rows come beside it or other columns are named', async () => {
  const table = lab.table();
  await lab.written(table, 'SELECT range AS a, range % 7 AS b FROM range(1000)');
  const by = { zOrderBy: ['a', 'b'] };
  expect((await table.optimize(lab.session, by)).filesRemoved).toBe(1);
  expect(await table.optimize(lab.session, by)).toMatchObject({ version: undefined, filesRemoved: 0 });
  await lab.written(table, 'SELECT 5::BIGINT AS a, 6::BIGINT AS b');
  expect((await table.optimize(lab.session, by)).filesRemoved).toBe(2);
  expect((await table.optimize(lab.session, { zOrderBy: ['b'] })).filesRemoved).toBe(1);
  await table.delete(lab.session, { where: 'a = 5' });
  expect((await table.optimize(lab.session, { zOrderBy: ['b'] })).filesRemoved).toBe(1);
});

test('each partition for itself, and only those that are meant', async () => {
  const table = lab.table();
  const query = "SELECT range AS a, -range AS b, ['x', 'y', NULL][range % 3 + 1] AS p FROM range(300)";
  await lab.written(table, query, { partitionColumns: ['p'] });
  const before = await lab.rows(table);
  expect((await table.optimize(lab.session, { zOrderBy: ['b'], where: "p = 'x'" })).filesRemoved).toBe(1);
  const done = await table.optimize(lab.session, { zOrderBy: ['b'] });
  expect(done.filesRemoved).toBe(2);
  expect(await lab.rows(table)).toEqual(before);
});

test('values of all types that have an order, NULL and NaN among them, few and many', async () => {
  const table = lab.table();
  await lab.written(
    table,
    `SELECT ['NaN'::DOUBLE, 'Infinity'::DOUBLE, -0.0::DOUBLE, NULL][range % 4 + 1] AS d, [repeat('ü😀', 90) || range, '', NULL][range % 3 + 1] AS s,
      TIMESTAMPTZ '1969-12-31 23:59:59.999999+00' + INTERVAL 1 DAY * range AS t, range % 2 = 0 AS f, (range / 7)::DECIMAL(20, 5) AS m, NULL::DATE AS n, range::TINYINT AS i FROM range(100)`,
  );
  const before = await lab.rows(table);
  for (const column of ['d', 's', 't', 'f', 'm', 'n', 'i'])
    await table.optimize(lab.session, { zOrderBy: [column], targetBytes: 700 });
  await table.optimize(lab.session, { zOrderBy: ['d', 's', 't', 'f', 'm', 'n', 'i'], targetBytes: 700 });
  expect(await lab.rows(table)).toEqual(before);
  expect((await table.snapshot()).files.length).toBeGreaterThan(1);
});

test('columns that nothing can be ordered by are refused before anything is written', async () => {
  const table = lab.table();
  const many = Array.from({ length: 9 }, (_, i) => `1 AS c${String(i)}`).join(', ');
  await lab.written(table, `SELECT 1 AS a, [1] AS list, 'x' AS p, ${many}`, { partitionColumns: ['p'] });
  const nine = Array.from({ length: 9 }, (_, i) => `c${String(i)}`);
  for (const [zOrderBy, code, why] of [
    [['aa'], 'UNKNOWN_COLUMN', 'has no column aa'],
    [['p'], 'SQL_INVALID', 'p is a partition column'],
    [['list'], 'SQL_INVALID', 'list has no order'],
    [['a', 'A'], 'SQL_INVALID', 'a is there twice'],
    [nine, 'SQL_INVALID', '9 columns are too many'],
  ] as const) {
    const message = expect.stringContaining(why) as string;
    await expect(table.optimize(lab.session, { zOrderBy })).rejects.toMatchObject({ code, message });
  }
  expect((await table.snapshot()).version).toBe(0n);
});

test('rows that others append or delete meanwhile are neither lost nor brought back', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = lab.table(store);
  await lab.written(table, 'SELECT range AS a, range % 7 AS b FROM range(100)');
  const other = lab.table(store);
  store.before.push(() => lab.written(other, 'SELECT 1000::BIGINT AS a, 1::BIGINT AS b'));
  await table.optimize(lab.session, { zOrderBy: ['a', 'b'] });
  expect((await table.snapshot()).rows).toBe(101n);
  const theirs = await lab.engine.session();
  store.before.push(() => other.delete(theirs, { where: 'a < 50' }));
  await table.optimize(lab.session, { zOrderBy: ['b', 'a'] });
  expect((await table.snapshot()).rows).toBe(51n);
  theirs.close();
  await store.close();
});
