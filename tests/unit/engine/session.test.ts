import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SluiceError } from '../../../core/errors.ts';
import { Engine } from '../../../engine/engine.ts';
import { copyToParquet } from '../../../engine/parquet.ts';
import type { Session } from '../../../engine/session.ts';
import { tableFunctions, tableRefs } from '../../../engine/tree.ts';

let engine: Engine;
let session: Session;
let folder: string;

beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '400MB', threads: 2 });
  session = await engine.session();
  folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
});
afterAll(async () => {
  session.close();
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

async function errorOf(work: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SluiceError)) throw new Error(`no SluiceError but ${String(error)}`);
  return error;
}

test('values keep every digit and times are UTC', async () => {
  const [row] =
    await session.rows(`SELECT 9223372036854775807 AS i, 170141183460469231731687303715884105727::HUGEINT AS h,
    1::INTEGER AS n, 12345678901234567890.123456789::DECIMAL(38,9) AS d, TIMESTAMPTZ '2026-01-02 03:04:05.678901+02' AS t,
    DATE '2026-01-02' AS day, '\\xAA'::BLOB AS b, [1, NULL] AS l, {a: 1, b: 'x'} AS s, MAP {'k': 1} AS m`);
  expect(row).toEqual({
    i: 9223372036854775807n,
    h: 170141183460469231731687303715884105727n,
    n: 1,
    d: '12345678901234567890.123456789',
    t: '2026-01-02 01:04:05.678901+00',
    day: '2026-01-02',
    b: Buffer.from([0xaa]),
    l: [1, null],
    s: { a: 1, b: 'x' },
    m: [{ key: 'k', value: 1 }],
  });
});

test('a query is described without being run', async () => {
  const columns = await session.describe(
    "SELECT 1 AS a, sum(1::BIGINT) AS s, [TIMESTAMP '2026-01-01'] AS l, TIME '00:00' AS t",
  );
  expect(columns.map((c) => [c.name, c.duckdbType, c.type?.kind])).toEqual([
    ['a', 'INTEGER', 'primitive'],
    ['s', 'HUGEINT', 'primitive'],
    ['l', 'TIMESTAMP[]', 'array'],
    ['t', 'TIME', undefined],
  ]);
});

test('errors have a code and the place that DuckDB points at', async () => {
  const sql = 'SELECT 1,\n  amout FROM (SELECT 1 AS amount)';
  const unknown = await errorOf(session.describe(sql));
  expect(unknown.code).toBe('SQL_INVALID');
  expect(unknown.facts['position']).toBe(sql.indexOf('amout'));
  const syntax = await errorOf(session.serialize('SELECT FROM FROM'));
  expect(syntax.code).toBe('SQL_SYNTAX');
  expect(syntax.facts['position']).toBeTypeOf('number');
});

test('columns appended in chunks are seen by other sessions after the flush', async () => {
  await session.run('CREATE TABLE appended (o BIGINT, t TIMESTAMPTZ, v BLOB, h MAP(VARCHAR, BLOB))');
  const appender = await session.appender('appended');
  const bytes = new Uint8Array([0, 255, 10]);
  appender.append(
    [
      [1n, 2n],
      [0n, null],
      [bytes, null],
      [[{ key: 'k', value: bytes }], null],
    ],
    2,
  );
  appender.flush();
  appender.close();
  const other = await engine.session();
  const rows = await other.rows('SELECT * FROM appended ORDER BY o');
  other.close();
  expect(rows).toEqual([
    { o: 1n, t: '1970-01-01 00:00:00+00', v: Buffer.from(bytes), h: [{ key: 'k', value: Buffer.from(bytes) }] },
    { o: 2n, t: null, v: null, h: null },
  ]);
});

test('COPY hands back the statistics of each column', async () => {
  const file = await copyToParquet(session, 'SELECT i, {n: i} AS s FROM range(10) t(i)', join(folder, 'a.parquet'));
  expect(file.rows).toBe(10n);
  expect(file.columns).toContainEqual(expect.objectContaining({ path: ['i'], min: '0', max: '9', nullCount: 0n }));
  expect(file.columns).toContainEqual(expect.objectContaining({ path: ['s', 'n'], min: '0', max: '9' }));
});

test('a stream gives all rows in batches', async () => {
  const result = await session.stream('SELECT i FROM range(5000) t(i)');
  let rows = 0;
  for await (const batch of result.batches()) rows += batch.length;
  expect([result.columns.map((c) => c.name), rows]).toEqual([['i'], 5000]);
});

test('table references are found, common table expressions are not, and a changed tree goes back to SQL', async () => {
  const tree = await session.serialize(
    'WITH c AS (SELECT * FROM s.a) SELECT * FROM c JOIN s.b ON true WHERE EXISTS (SELECT 1 FROM s.d) AND x IN (SELECT y FROM read_csv(f))',
  );
  expect(
    tableRefs(tree)
      .map((ref) => `${ref.schema}.${ref.name}`)
      .sort(),
  ).toEqual(['s.a', 's.b', 's.d']);
  expect(tableFunctions(tree).map((call) => call.name)).toEqual(['read_csv']);
  for (const ref of tableRefs(tree)) ref.node['schema_name'] = 'other';
  expect(await session.deserialize(tree)).toContain('other.a');
});

test('statement kinds are told without running anything', async () => {
  expect(await session.statementKinds('SELECT 1; CREATE TABLE never (a INTEGER)')).toEqual(['SELECT', 'CREATE']);
  expect((await errorOf(session.run('SELECT * FROM never'))).code).toBe('SQL_INVALID');
});
