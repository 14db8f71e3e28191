/** Files that the WHERE rules out are not read, and no row is ever missing for it. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPredicates, toConditions } from '../../../tables/conditions.ts';
import { rowsOf, TestLake } from './lake.ts';

let lake: TestLake;
let relation: string;

const ROWS = `SELECT i AS id, (i % 50)::INTEGER AS n, CASE WHEN i % 17 = 0 THEN 'nan'::DOUBLE ELSE i / 3 END AS d,
  (i / 7)::FLOAT AS f, (i * 1.25)::DECIMAL(10,2) AS amount, chr(97 + (i % 26)::INTEGER) || i AS s,
  TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * 3600000123) AS happened,
  TIMESTAMP '2026-01-01 00:00:00' + to_microseconds(i * 7200000456) AS local,
  CASE WHEN i % 13 = 0 THEN NULL ELSE DATE '2026-01-01' + (i % 4)::INTEGER END AS day,
  CASE WHEN i % 11 = 0 THEN NULL WHEN i % 2 = 0 THEN 'EU' ELSE 'ÜS' END AS region`;

beforeAll(async () => {
  lake = await TestLake.open();
  for (const from of [0, 40, 80]) {
    const query = `${ROWS} FROM range(${String(from)}, ${String(from + 40)}) t(i)`;
    await lake.append('silver.events', query, ['day', 'region']);
    await lake.append('silver.flat', query);
  }
  relation = await (await lake.table('silver.events').snapshot()).relation();
});
afterAll(() => lake.close());

const number = fc.oneof(
  fc.integer({ min: -5, max: 160 }).map(String),
  fc
    .tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 0, max: 99 }))
    .map(([a, b]) => `${String(a)}.${String(b)}`),
  fc.constantFrom('9007199254740993', '1e2', '33.333333333333336', '16777217'),
);
const day = fc.integer({ min: 0, max: 5 }).map((n) => `2026-01-0${String(n + 1)}`);
const moment = fc.tuple(day, fc.constantFrom('', ' 00:00:00', ' 03:00:00.000369', ' 12:00:00.001', 'T23:59:59'));
const literals = {
  number,
  text: fc
    .tuple(fc.constantFrom('EU', 'ÜS', 'a', 'm', 'zz'), fc.nat(120))
    .map(([t, n]) => `'${n % 3 === 0 ? t : t + String(n)}'`),
  day: fc.tuple(day, fc.constantFrom('DATE ', '', 'TIMESTAMP ')).map(([d, type]) => `${type}'${d}'`),
  moment: fc
    .tuple(moment, fc.constantFrom('', 'TIMESTAMP ', 'TIMESTAMPTZ '))
    .map(([[d, t], type]) => `${type}'${d}${t}'`),
};
const columns: [string, fc.Arbitrary<string>][] = [
  ['id', number], ['n', number], ['d', number], ['f', fc.oneof(number, number.map((n) => `${n}::FLOAT`))], ['amount', number],
  ['s', literals.text], ['region', literals.text], ['day', literals.day], ['happened', literals.moment], ['local', literals.moment],
]; // prettier-ignore
const op = fc.constantFrom('=', '<', '<=', '>', '>=', '<>');
const conjunct = fc.constantFrom(...columns).chain(([column, literal]) =>
  fc.oneof(
    fc.tuple(op, literal, fc.boolean()).map(([o, l, flip]) => (flip ? `${l} ${o} e.${column}` : `${column} ${o} ${l}`)),
    fc.tuple(literal, literal).map(([a, b]) => `${column} BETWEEN ${a} AND ${b}`),
    fc.array(literal, { minLength: 1, maxLength: 3 }).map((list) => `e.${column} IN (${list.join(', ')})`),
    fc.tuple(literal, literal).map(([a, b]) => `(${column} = ${a} OR ${column} > ${b})`),
    fc.tuple(op, literal).map(([o, l]) => `NOT (${column} ${o} ${l})`),
  ),
);
const where = fc.array(conjunct, { minLength: 1, maxLength: 3 }).map((list) => list.join(' AND '));

test('any filter gives the rows that it gives over all files', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(where, fc.constantFrom('events', 'flat'), async (filter, table) => {
      const wanted = await lake.session.rows(`SELECT id FROM ${relation} AS e WHERE ${filter} ORDER BY id`);
      const found = await rowsOf(await lake.query(`SELECT id FROM silver.${table} AS e WHERE ${filter} ORDER BY id`));
      expect(found.map(([id]) => id)).toEqual(wanted.map((row) => row['id']));
    }),
    { numRuns: 150 },
  );
});

test.each([
  'FROM silver.events e LEFT JOIN silver.flat x ON e.id = x.id + 1 WHERE x.id IS NULL OR x.n < 10',
  'FROM silver.events e LEFT JOIN silver.flat x ON e.id = x.id + 1 AND x.id < 10 WHERE e.id < 30',
  'FROM silver.events e RIGHT JOIN silver.flat x ON e.id = x.id + 1 WHERE x.id > 70 AND (e.id IS NULL OR e.id > 0)',
  'FROM silver.events e FULL JOIN silver.flat x ON e.id = x.id + 100 WHERE x.id < 50',
  'FROM silver.events e ASOF JOIN silver.flat x ON e.id >= x.id + 45 WHERE x.id < 90 AND e.id > 60',
  'FROM silver.events e, silver.flat x WHERE e.id = x.n AND x.id > 90 AND e.id < 20',
  'FROM silver.events e SEMI JOIN silver.flat x ON e.id = x.id * 2 WHERE e.id > 60',
  'FROM silver.events e ANTI JOIN silver.flat x ON e.id = x.id * 2 WHERE e.id > 60',
  'FROM silver.events e POSITIONAL JOIN (SELECT id AS i FROM silver.flat WHERE id > 100) x WHERE x.i > 110',
  'FROM (SELECT id + 60 AS id, n FROM silver.events) e WHERE e.id > 100',
  'FROM silver.events e WHERE e.id > 100 UNION ALL SELECT id, n FROM silver.flat WHERE id < 5',
  'FROM silver.events e WHERE e.id IN (SELECT id FROM silver.flat WHERE n = 3 AND e.n = 3)',
  'FROM silver.events AS e(n, id) WHERE e.id > 40 AND n < 10',
])('a filter beside a join keeps what the join needs: %s', async (from) => {
  const all = [relation, await (await lake.table('silver.flat').snapshot()).relation()] as const;
  const direct = from.replaceAll('silver.events', all[0]).replaceAll('silver.flat', all[1]);
  const select = 'SELECT e.id, e.n';
  const sorted = (rows: readonly (readonly unknown[])[]): string[] => rows.map((row) => row.map(String).join()).sort();
  const wanted = await lake.session.rows(`${select} ${direct}`);
  const found = await lake.rows(`${select} ${from}`);
  if (from.includes('POSITIONAL')) expect(found).toHaveLength(wanted.length);
  else expect(sorted(found)).toEqual(sorted(wanted.map((row) => Object.values(row))));
});

async function filesRead(sql: string, table: string): Promise<number> {
  const snapshot = await lake.table(table).snapshot();
  const [predicates = []] = findPredicates(await lake.session.serialize(sql)).values();
  const pruned = await snapshot.relation({ where: toConditions(predicates, snapshot.schema) });
  return new Set(pruned.match(/part-[^']+\.parquet/g)).size;
}

test('files are left unread where partition values or statistics rule them out', async () => {
  const { files } = await lake.table('silver.events').snapshot();
  const inDay = files.filter(({ partitionValues }) => partitionValues['day'] === '2026-01-02').length;
  expect(await filesRead("FROM s.e WHERE day = '2026-01-02'", 'silver.events')).toBe(inDay);
  expect(await filesRead("FROM s.e WHERE e.day BETWEEN DATE '2026-01-02' AND DATE '2026-01-02'", 'silver.events')).toBe(
    inDay,
  );
  expect(await filesRead('SELECT * FROM s.e WHERE id < 40', 'silver.flat')).toBe(1);
  expect(await filesRead('SELECT * FROM s.e WHERE n = 3 AND 79 < id', 'silver.flat')).toBe(1);
  expect(await filesRead('SELECT * FROM s.e x WHERE x.id IN (41, 42, 79)', 'silver.flat')).toBe(1);
  expect(await filesRead('SELECT * FROM s.e, s.f WHERE e.amount > 148.7', 'silver.flat')).toBe(1);
  expect(await filesRead("SELECT * FROM s.e WHERE happened < TIMESTAMPTZ '2026-01-02'", 'silver.flat')).toBe(1);
  expect(await filesRead('SELECT * FROM s.e WHERE id < 40 OR n = 1', 'silver.flat')).toBe(3);
  expect(await filesRead("SELECT * FROM s.e WHERE id < '40'", 'silver.flat')).toBe(3);
  expect(await filesRead('SELECT * FROM s.e TABLESAMPLE 50% WHERE id < 40', 'silver.flat')).toBe(3);
});
