import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { openQueries, openQuery } from '../../../query/index.ts';
import { errorOf, rowsOf, TestLake } from './lake.ts';

let lake: TestLake;

beforeAll(async () => {
  lake = await TestLake.open();
  await lake.append('silver.orders', "SELECT i AS id, i * 1.5 AS amount, 'c' || i AS customer FROM range(3) t(i)");
  await lake.append('silver.orders', "SELECT i AS id, i * 1.5 AS amount, 'c' || i AS customer FROM range(3, 5) t(i)");
  await lake.append('silver.orders', "SELECT 99::BIGINT AS id, 1.5::DECIMAL(21,1) AS amount, 'last' AS customer");
  await lake.append('gold.customers', "SELECT 'c1' AS customer, {city: 'Ulm', zip: 89073} AS address");
});
afterAll(() => lake.close());

test('a table is read at its newest version, and the result says which', async () => {
  const query = await lake.query('SELECT count(*) AS n, sum(id) FROM silver.orders');
  expect(query.columns.map((c) => c.name)).toEqual(['n', 'sum(id)']);
  expect(query.versions).toEqual(new Map([['silver.orders', 2n]]));
  expect(await rowsOf(query)).toEqual([[6n, 109n]]);
});

test.each([
  ['silver.orders VERSION AS OF 0', 3n],
  ['silver.orders FOR VERSION AS OF 1', 5n],
  ["silver.orders VERSION AS OF '1' AS o", 5n],
  ['silver.orders o FOR SYSTEM_VERSION AS OF 1', 5n],
  ['silver.orders@v1', 5n],
  ['silver.orders@v0 AS o', 3n],
  ['silver.orders AT (VERSION => 0)', 3n],
  ['silver.orders AT (VERSION => 1 - 1) AS o', 3n],
  ['silver.orders AS o AT (VERSION => 1)', 5n],
  ['`silver`.`orders` VERSION AS OF 1', 5n],
  ['SILVER.Orders VERSION AS OF 0 /* the first */', 3n],
  ['(SELECT * FROM silver.orders VERSION AS OF 1)', 5n],
])('time travel: %s', async (table, rows) => {
  expect(await lake.rows(`SELECT count(*) FROM ${table}`)).toEqual([[rows]]);
});

test('time travel to a moment: the version that was the newest then', async () => {
  const moments = await Promise.all([0n, 1n, 2n].map((v) => lake.table('silver.orders').snapshot(v)));
  for (const [i, { timestampMs }] of moments.entries()) {
    const text = new Date(timestampMs).toISOString().replace('T', ' ').replace('Z', '');
    const rows = [3n, 5n, 6n][i];
    const forms = [
      `TIMESTAMP AS OF '${text}'`,
      `TIMESTAMP AS OF TIMESTAMP '${text}'`,
      `FOR SYSTEM_TIME AS OF ('${text}'::TIMESTAMP)`,
      `AT (TIMESTAMP => TIMESTAMPTZ '${text}+00' + INTERVAL 0 DAY)`,
    ];
    for (const form of forms) {
      expect(await lake.rows(`SELECT count(*) FROM silver.orders ${form}`)).toEqual([[rows]]);
    }
  }
  const later = await errorOf(lake.rows("SELECT count(*) FROM silver.orders TIMESTAMP AS OF '2100-01-01'"));
  expect([later.code, later.facts['column']]).toEqual(['VERSION_NOT_FOUND', 22]);
});

test('versions of one table can be compared, each under its own name', async () => {
  const query = await lake.query(
    'SELECT count(*) FROM silver.orders AS new ANTI JOIN silver.orders VERSION AS OF 1 AS old USING (id)',
  );
  expect(query.versions).toEqual(new Map([['silver.orders', 2n], ['silver.orders@v1', 1n]])); // prettier-ignore
  expect(await rowsOf(query)).toEqual([[1n]]);
});

test('a table read twice is pinned once, though it grows between the two looks', async () => {
  await lake.append('silver.growing', 'SELECT 1 AS i');
  const open = lake.catalog.open.bind(lake.catalog);
  const growing = {
    names: () => lake.catalog.names(),
    open: async (name: string) => {
      const table = await open(name);
      await lake.append('silver.growing', 'SELECT 1 AS i');
      return table;
    },
  };
  const sql = 'SELECT (SELECT count(*) FROM silver.growing) - (SELECT count(*) FROM silver.growing)';
  expect(await rowsOf(await openQuery(lake.session, sql, growing, lake.parts))).toEqual([[0n]]);
});

test('common table expressions, aliases, qualified columns and structs keep their meaning', async () => {
  const sql = `WITH o AS (SELECT * FROM silver.orders WHERE silver.orders.id < 3)
    SELECT silver.orders.customer, gold.customers.address.city, o.amount
    FROM silver.orders JOIN o USING (id), gold.customers
    WHERE orders.customer = customers.customer AND silver.orders.id >= 0 -- silver.orders VERSION AS OF 7`;
  expect(await lake.rows(sql)).toEqual([['c1', 'Ulm', '1.5']]);
});

test('words of time travel in strings, names and other places are left alone', async () => {
  expect(await lake.rows(`SELECT 'silver.orders VERSION AS OF 3' AS "t VERSION AS OF 2", 1 AS version`)).toEqual([
    ['silver.orders VERSION AS OF 3', 1],
  ]);
  expect(await lake.rows('SELECT version AS of FROM (SELECT 7 AS version)')).toEqual([[7]]);
  expect(await lake.rows("SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' AT TIME ZONE 'UTC'")).toEqual([
    ['2026-01-01 00:00:00'],
  ]);
});

test('every form of reading works', async () => {
  expect(await lake.rows('FROM silver.orders ORDER BY id LIMIT 1')).toEqual([[0n, '0.0', 'c0']]);
  expect(await lake.rows('TABLE silver.orders')).toHaveLength(6);
  expect(await lake.rows('VALUES (1), (2)')).toEqual([[1], [2]]);
  const columns = [['id', 'BIGINT'], ['amount', 'DECIMAL(21,1)'], ['customer', 'VARCHAR']]; // prettier-ignore
  for (const sql of ['DESCRIBE silver.orders', 'DESC silver.orders', 'SHOW silver.orders']) {
    expect((await lake.rows(sql)).map((row) => row.slice(0, 2))).toEqual(columns);
  }
  expect((await lake.rows('DESCRIBE SELECT id FROM silver.orders')).map((row) => row[0])).toEqual(['id']);
  expect(await lake.rows('SUMMARIZE silver.orders VERSION AS OF 0')).toHaveLength(3);
  expect(await lake.rows('SHOW TABLES FROM gold')).toEqual([['gold', 'customers']]);
  expect(await lake.rows('SHOW TABLES')).toContainEqual(['silver', 'orders']);
  expect((await lake.rows('EXPLAIN SELECT * FROM silver.orders WHERE id = 1'))[0]?.[1]).toContain('PARQUET');
  expect(await lake.rows('EXPLAIN ANALYZE SELECT count(*) FROM silver.orders')).toHaveLength(1);
  expect(await lake.rows("FROM silver.orders PIVOT (sum(id) FOR customer IN ('c1', 'c2'))")).not.toEqual([]);
  expect(await lake.rows('UNPIVOT silver.orders ON id INTO NAME n VALUE v')).toHaveLength(6);
  expect(await lake.rows('SELECT count(*) FROM silver.orders TABLESAMPLE 100%')).toEqual([[6n]]);
  expect(await lake.rows('SELECT x.i FROM silver.orders AS x(i, a, c) ORDER BY 1 DESC LIMIT 1')).toEqual([[99n]]);
});

test('delta_scan and delta.`path` read a table at any path', async () => {
  const path = join(lake.folder, 'silver', 'orders');
  const query = await lake.query(`SELECT count(*), max(delta_scan.id) FROM delta_scan('${path}')`);
  expect(query.versions).toEqual(new Map([[path, 2n]]));
  expect(await rowsOf(query)).toEqual([[6n, 99n]]);
  expect(await lake.rows(`SELECT count(*) FROM delta_scan('${path}', version => 0)`)).toEqual([[3n]]);
  const { timestampMs } = await lake.table('silver.orders').snapshot(1n);
  const moment = `timestamp => make_timestamp(${String(timestampMs)} * 1000)`;
  expect(await lake.rows(`SELECT count(*) FROM delta_scan('${path}', ${moment}) d`)).toEqual([[5n]]);
  expect(await lake.rows(`SELECT count(*) FROM delta_scan('${path}') VERSION AS OF 1`)).toEqual([[5n]]);
  expect(await lake.rows(`SELECT count(*) FROM delta.\`${path}\` VERSION AS OF 1`)).toEqual([[5n]]);
  const missing = await errorOf(lake.rows("SELECT * FROM delta_scan('/nowhere/at/all')"));
  expect([missing.code, missing.facts['column']]).toEqual(['TABLE_NOT_FOUND', 15]);
  const option = await errorOf(lake.rows(`SELECT * FROM delta_scan('${path}', versoin => 1)`));
  expect(option.code).toBe('SQL_INVALID');
});

test('a data file that is gone is named, with the table and the version that needs it', async () => {
  await lake.append('silver.gone', 'SELECT 1::BIGINT AS id');
  await lake.append('silver.gone', 'SELECT 2::BIGINT AS id');
  const snapshot = await lake.table('silver.gone').snapshot();
  const file = join(snapshot.location, snapshot.files[0]?.path ?? '');
  await rm(file);
  const error = await errorOf(lake.rows('SELECT count(*) FROM silver.gone'));
  expect(error.code).toBe('FILE_MISSING');
  expect(error.message).toBe(`${snapshot.location}@1: its data file ${file} does not exist`);
  expect((await errorOf(lake.rows("SELECT * FROM read_parquet('nowhere.parquet')"))).code).toBe('QUERY_FAILED');
  await rm(snapshot.location, { recursive: true });
});

test('table_changes takes a table or a path, and refuses versions that did not record theirs', async () => {
  const path = join(lake.folder, 'silver', 'orders');
  for (const name of ['silver.orders', 'SILVER.Orders', path]) {
    const error = await errorOf(lake.rows(`SELECT * FROM table_changes('${name}', 1, 2)`));
    expect([error.code, error.facts['column']]).toEqual(['CHANGE_DATA_MISSING', 15]);
    expect(error.message).toContain('silver/orders@1: changes of rows were not recorded');
  }
  const wrong: [string, string][] = [
    [`table_changes('silver.orders')`, 'SQL_INVALID'],
    [`table_changes('silver.orders', 1, 2, 3)`, 'SQL_INVALID'],
    [`table_changes('silver.ordres', 1)`, 'UNKNOWN_TABLE'],
    [`table_changes('silver.orders', 99)`, 'VERSION_NOT_FOUND'],
    [`table_changes('silver.orders', 2, 1)`, 'VERSION_NOT_FOUND'],
    [`table_changes('/nowhere/at/all', 1)`, 'TABLE_NOT_FOUND'],
  ];
  for (const [call, code] of wrong) expect([call, (await errorOf(lake.rows(`SELECT * FROM ${call}`))).code]).toEqual([call, code]); // prettier-ignore
});

test('files of other kinds and table functions can be read', async () => {
  const csv = join(lake.folder, 'extra.csv');
  await writeFile(csv, 'a,b\n1,x\n2,y\n');
  expect(await lake.rows(`SELECT sum(a) FROM '${csv}'`)).toEqual([[3n]]);
  expect(await lake.rows(`SELECT count(*) FROM read_csv('${csv}') JOIN range(5) r(i) ON i = a`)).toEqual([[2n]]);
  expect(await lake.rows('SELECT * FROM unnest([1, 2])')).toEqual([[1], [2]]);
});

test.each([
  ['INSERT INTO silver.orders VALUES (1)', 'INSERT'],
  ["COPY (SELECT 1) TO '/tmp/never.csv'", 'COPY'],
  ["ATTACH 'never.db'", 'ATTACH'],
  ['EXPLAIN ANALYZE DELETE FROM silver.orders', 'DELETE'],
  ['SET threads = 1', 'SET'],
  ['PRAGMA enable_profiling', 'PRAGMA'],
  ['INSTALL httpfs', 'INSTALL'],
  ['CALL pragma_version()', 'CALL'],
  ['CREATE TABLE t (i INTEGER)', 'CREATE'],
  ["FROM enable_logging('QueryLog')", 'enable_logging'],
])('nothing but reading is allowed: %s', async (sql, word) => {
  const error = await errorOf(lake.query(sql));
  expect(error.code).toBe('SQL_NOT_READ_ONLY');
  expect(error.message).toContain(word);
});

test('a writing common table expression is refused too', async () => {
  const error = await errorOf(lake.query('WITH x AS (DELETE FROM silver.orders RETURNING *) SELECT * FROM x'));
  expect(error.code).toBe('SQL_SYNTAX');
});

test('errors show the line, the place and a better name', async () => {
  const column = await errorOf(lake.query('SELECT id,\n  amout FROM silver.orders VERSION AS OF 1'));
  expect(column.code).toBe('UNKNOWN_COLUMN');
  expect(column.message).toBe(
    'query:2:3: there is no column amout\n  2 |   amout FROM silver.orders VERSION AS OF 1\n    |   ^^^^^',
  );
  expect(column.advice).toBe('Did you mean amount?');
  const behind = await errorOf(lake.query('SELECT 1 FROM silver.orders, gold.customers WHERE orders.idd = 2'));
  expect([behind.code, behind.facts['column']]).toEqual(['UNKNOWN_COLUMN', 51]);
  const table = await errorOf(lake.query("SELECT 'é' FROM\nsilver.ordres"));
  expect([table.code, table.facts['line'], table.facts['column']]).toEqual(['UNKNOWN_TABLE', 2, 1]);
  expect(table.advice).toBe('Did you mean silver.orders?');
  expect((await errorOf(lake.query('FROM orders'))).advice).toBe('Did you mean silver.orders?');
  const syntax = await errorOf(lake.query('SELECT * FORM silver.orders'));
  expect([syntax.code, syntax.facts['column']]).toEqual(['SQL_SYNTAX', 15]);
  const first = await errorOf(lake.query('SELEC 1'));
  expect([first.code, first.facts['column']]).toEqual(['SQL_SYNTAX', 1]);
  const version = await errorOf(lake.query('SELECT * FROM silver.orders VERSION AS OF 77'));
  expect([version.code, version.facts['column']]).toEqual(['VERSION_NOT_FOUND', 15]);
  const bad = await errorOf(lake.query("SELECT * FROM silver.orders TIMESTAMP AS OF 'yesterdayish'"));
  expect(bad.facts['line']).toBe(1);
  const lost = await errorOf(lake.query('WITH c AS (SELECT 1) SELECT * FROM c VERSION AS OF 1'));
  expect([lost.code, lost.facts['column']]).toEqual(['SQL_INVALID', 38]);
  expect((await errorOf(lake.query("SELECT 'no end"))).code).toBe('SQL_SYNTAX');
  expect((await errorOf(lake.query('  ;; '))).code).toBe('SQL_SYNTAX');
  expect((await errorOf(lake.query('PIVOT silver.orders ON customer'))).advice).toContain('PIVOT (');
});

test('a failure while rows are read is told like one before, and the session goes on', async () => {
  const sql = "SELECT CAST(CASE WHEN i > 9000 THEN 'x' ELSE '1' END AS INTEGER) FROM range(10000) t(i)";
  const error = await errorOf(lake.rows(sql));
  expect(error.code).toBe('QUERY_FAILED');
  expect(error.message).toContain("Could not convert string 'x'");
  expect(await lake.rows('SELECT 1')).toEqual([[1]]);
});

test('statements of a script run in turn, and errors count lines from its top', async () => {
  const results: unknown[] = [];
  const script =
    "SELECT ';' AS a;\n\nSELECT count(*) FROM silver.orders@v0; -- done;\nSELECT nope FROM silver.orders;\n";
  const run = async (): Promise<void> => {
    for await (const query of openQueries(lake.session, script, lake.catalog, { ...lake.parts, file: 'all.sql' })) {
      results.push(await rowsOf(query));
    }
  };
  const error = await errorOf(run());
  expect(results).toEqual([[[';']], [[3n]]]);
  expect(error.message.split('\n')[0]).toBe('all.sql:4:8: there is no column nope');
});

test('a query that is left early gives its session back and leaves nothing behind', async () => {
  const query = await lake.query('SELECT a.id FROM silver.orders a, range(100000)');
  for await (const batch of query.batches()) {
    expect(batch.length).toBeGreaterThan(0);
    break;
  }
  await query.close();
  const macros = await lake.session.rows(
    "SELECT function_name FROM duckdb_functions() WHERE function_name LIKE '__sluice%'",
  );
  expect(macros).toEqual([]);
  expect(await lake.rows('SELECT count(*) FROM silver.orders')).toEqual([[6n]]);
});

test('a query can be stopped, and tells how far it is', async () => {
  await lake.append('silver.big', 'SELECT i FROM range(200000) t(i)');
  const stop = new AbortController();
  const told: number[] = [];
  const parts = {
    ...lake.parts,
    clock: systemClock,
    signal: stop.signal,
    onProgress: (percent: number) => {
      told.push(percent);
      stop.abort();
    },
  };
  const sql = 'SELECT count(*) FROM silver.big a JOIN silver.big b ON a.i + b.i < sin(a.i)';
  const error = await errorOf(openQuery(lake.session, sql, lake.catalog, parts));
  expect(error.code).toBe('INTERRUPTED');
  expect(told.every((percent) => percent >= 0 && percent < 100)).toBe(true);
  expect(told.length).toBeGreaterThan(0);
  expect((await errorOf(openQuery(lake.session, sql, lake.catalog, parts))).code).toBe('INTERRUPTED');
});

test('only folders with a Delta log are tables', async () => {
  await mkdir(join(lake.folder, 'silver', 'notes', 'deep'), { recursive: true });
  await mkdir(join(lake.folder, '_staging', 'orders', '_delta_log'), { recursive: true });
  const names = await lake.catalog.names();
  expect(names).toContain('silver.orders');
  expect(names.filter((name) => /notes|staging/.test(name))).toEqual([]);
  for (const name of ['silver.notes', 'silver', '..silver.orders', '../x.y', 'a.b.c', '.', '_staging.orders']) {
    expect(await lake.catalog.open(name)).toBeUndefined();
  }
  expect(await readdir(lake.folder)).toContain('silver');
});
