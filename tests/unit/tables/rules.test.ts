/** CHECK constraints and invariants: rows that break them are in no table, whoever writes and whoever else changes the rules meanwhile. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringifyJson } from '../../../core/json.ts';
import { field, primitive, struct, type StructType } from '../../../core/schema.ts';
import type { DeltaTable } from '../../../tables/index.ts';
import { actionToJson } from '../../../tables/log/action-json.ts';
import { commitPath } from '../../../tables/log/paths.ts';
import { toCondition } from '../../../tables/rules/expression.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab, paths, readText, writeText } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

/** What another engine does: it sets a constraint (undefined: takes it away) in the next version. */
async function constrain(store: ObjectStore, name: string, expression: string | undefined): Promise<void> {
  const { metadata, version } = await lab.table(store).snapshot();
  const kept = Object.entries(metadata.configuration).filter(([key]) => key !== `delta.constraints.${name}`);
  const added: [string, string][] = expression === undefined ? [] : [[`delta.constraints.${name}`, expression]];
  const configuration = Object.fromEntries([...kept, ...added]);
  const lines = [
    { commitInfo: { operation: 'ADD CONSTRAINT' } },
    { protocol: { minReaderVersion: 1, minWriterVersion: 3 } },
    actionToJson({ kind: 'metaData', metaData: { ...metadata, configuration } }),
  ];
  await store.put(
    commitPath(version + 1n),
    new TextEncoder().encode(lines.map((line) => `${stringifyJson(line)}\n`).join('')),
    'create',
  );
}

async function checked(expression: string, store: ObjectStore = lab.store()): Promise<DeltaTable> {
  await lab.written(
    lab.table(store),
    "SELECT 1::BIGINT AS id, 'a' AS kind, {x: 1::BIGINT} AS s, DATE '2026-01-01' AS day",
  );
  await constrain(store, 'rule', expression);
  return lab.table(store);
}

const ROW = (id: string): string =>
  `SELECT ${id}::BIGINT AS id, 'a' AS kind, {x: 1::BIGINT} AS s, DATE '2026-01-01' AS day`;
const BROKEN = { code: 'CONSTRAINT_VIOLATED', facts: { constraint: 'rule' } };

test('every way to write rows is held to them, and nothing of what is refused stays', async () => {
  const store = lab.store();
  const table = await checked('id > 0', store);
  const session = lab.session;
  await lab.written(table, ROW('5'));
  const before = await paths(store);
  const refused: (() => Promise<unknown>)[] = [
    () => lab.write(table, ROW('-1')),
    () => lab.write(table, ROW('0'), { mode: 'overwrite' }),
    () => lab.write(table, ROW('NULL')),
    () => table.append(session, { source: ROW('-7') }),
    () => table.overwrite(session, { source: ROW('-7'), replaceWhere: 'id < 0' }),
    () => table.update(session, { set: { id: 'id - 5' } }),
    () =>
      table.merge(session, {
        source: 'SELECT 5 AS id',
        on: 'target.id = source.id',
        whenMatched: [{ set: { id: '-1' } }],
      }),
    () => table.merge(session, { source: ROW('-3'), on: 'target.id = source.id', whenNotMatched: [{ values: '*' }] }),
  ];
  for (const write of refused) await expect(write()).rejects.toMatchObject(BROKEN);
  expect(await paths(store)).toEqual(before);
  await expect(table.append(session, { source: ROW('-7') })).rejects.toThrow(/a row breaks rule \(id > 0\): .*"id":-7/);
  await table.update(session, { set: { id: 'id + 1' } });
  await table.delete(session, { where: 'id = 6' });
  await table.optimize(session);
  expect((await lab.rows(table)).map(({ id }) => id)).toEqual([2n]);
});

test('a column that the rows lack is NULL to them, and so breaks what NULL breaks', async () => {
  const table = await checked('`kind` <> "" '.replace('""', "''"));
  await expect(lab.write(table, 'SELECT 9::BIGINT AS id')).rejects.toMatchObject(BROKEN);
  const other = await checked("kind IS NULL OR kind <> 'b'");
  await lab.written(other, 'SELECT 9::BIGINT AS id');
  expect((await other.snapshot()).rows).toBe(2n);
});

test('partitioned tables too, by partition columns and others', async () => {
  const store = lab.store();
  await lab.written(lab.table(store), "SELECT 1::BIGINT AS id, 'a' AS p", { partitionColumns: ['p'] });
  await constrain(store, 'rule', "p IN ('a', 'b') AND id < 10");
  const table = lab.table(store);
  await lab.written(table, "SELECT 2::BIGINT AS id, 'b' AS p", { partitionColumns: ['p'] });
  for (const row of ["2::BIGINT AS id, 'c' AS p", "20::BIGINT AS id, 'b' AS p"]) {
    await expect(lab.write(table, `SELECT ${row}`, { partitionColumns: ['p'] })).rejects.toMatchObject(BROKEN);
  }
});

test('rows that were staged before somebody set a constraint do not get in', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = lab.table(store);
  await lab.written(table, ROW('1'));
  const add = await lab.stage(table, ROW('-1'));
  await constrain(store, 'rule', 'id > 0');
  const late = await table.commit({ operation: 'WRITE', mode: 'append', add });
  expect(late).toMatchObject({
    kind: 'conflict',
    reason: { kind: expect.stringMatching('metadata|protocol') as string },
  });
  store.before.push(() => constrain(store, 'more', 'id < 100'));
  await expect(lab.write(table, ROW('500'))).resolves.toMatchObject({
    kind: 'conflict',
    reason: { kind: expect.stringMatching('metadata|protocol') as string },
  });
  await expect(table.update(lab.session, { set: { id: 'id + 5000' } })).rejects.toMatchObject({
    code: 'CONSTRAINT_VIOLATED',
  });
  await constrain(store, 'more', undefined);
  store.before.push(() => constrain(store, 'less', 'id < 2000'));
  expect((await table.update(lab.session, { set: { id: 'id + 500' } })).rows).toBe(1n);
  expect((await lab.rows(table)).map(({ id }) => id)).toEqual([501n]);
  await store.close();
});

test('a restore brings the rules of its version back, with the rows that kept them', async () => {
  const store = lab.store();
  const table = await checked('id > 0', store);
  await constrain(store, 'rule', undefined);
  await lab.written(lab.table(store), ROW('-1'));
  await table.restore(1n);
  expect((await lab.rows(table)).map(({ id }) => id)).toEqual([1n]);
  await expect(lab.write(table, ROW('-1'))).rejects.toMatchObject(BROKEN);
});

test('invariants of columns count like constraints, and one that is none is refused', async () => {
  for (const [invariant, code] of [['{"expression":{"expression":"id > 3"}}', 'CONSTRAINT_VIOLATED'], ['{}', 'UNSUPPORTED_FEATURE']] as const) {
    const store = lab.store();
    await lab.written(lab.table(store), ROW('5'));
    const entry = await readText(store, commitPath(0n));
    const schema = stringifyJson({ 'delta.invariants': invariant });
    await writeText(store, commitPath(0n), entry.replace('\\"metadata\\":{}', `\\"metadata\\":${JSON.stringify(schema).slice(1, -1)}`));
    const table = lab.table(store);
    await expect(lab.write(table, ROW('2'))).rejects.toMatchObject({ code });
    if (code === 'CONSTRAINT_VIOLATED') await lab.written(table, ROW('4'));
  }
}); // prettier-ignore

describe('expressions', () => {
  let schema: StructType;
  beforeAll(async () => {
    schema = await lab.schemaOf(
      `SELECT 1::BIGINT AS id, 1::TINYINT AS tiny, 1.5::DOUBLE AS d, 1.5::FLOAT AS f, 1.5::DECIMAL(9, 2) AS money, 'a' AS "od d", true AS ok, DATE '2026-01-01' AS day, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS at, ''::BLOB AS bytes, {x: {y: 1::BIGINT}} AS s, [1] AS list, TIMESTAMP '2026-01-01' AS naive`,
    );
    const short = field('short', primitive('string'), { __CHAR_VARCHAR_TYPE_STRING: 'char(3)' });
    schema = struct([...schema.fields, short]);
  });

  test.each([
    ["id <=> 3 AND `od d` == 'it''s'", "\"od d\" == 'it''s'"],
    ['NOT (id BETWEEN 1 AND 5) OR s.x.y IN (1, 2) OR ok', '"id" BETWEEN 1 AND 5'],
    ["day >= DATE '2026-01-01' AND day <> '2026-02-01' AND year(day) > 2000", 'year ( "day" )'],
    ["length(`od d`) < 5 AND `od d` LIKE 'a%' AND `od d` NOT LIKE '_b'", 'LIKE'],
    ['CASE WHEN id > 1 THEN money > 0 ELSE d <= 1e3 END', 'CASE WHEN'],
    ['coalesce(id, 0) - 1 > abs(id) * 2 AND at IS NOT NULL AND at < at', 'coalesce'],
    ['NULL', 'NULL'],
  ])('%s', async (expression, part) => {
    const sql = await toCondition(lab.session, expression, schema);
    expect(sql.replaceAll(/\s+/g, ' ')).toContain(part.replace('length(', 'length ( '));
  });

  test.each([
    'id', 'id +', '', 'id > 1; SELECT 1', 'nobody > 1', 's.x.z = 1', '"id" > 1', "`od d` = 'a\\\\b'", "`od d` = 'a' 'b'", 'f > 0.1', 'tiny + 1 > 2', 'money * 2 > 1', 'id / 2 > 1',
    'id % 0 = 0', 'id % id = 0', 'd % 2 = 0', 'concat(id, `od d`) = 1', "concat(`od d`, 'a'", "substring(`od d`, 0, 1) = 'a'", "substring(`od d`, -1) = 'a'", 'hour(day) = 1', "date_trunc('hour', day) = at", "date_trunc('week', at) = at", "date_trunc(`od d`, at) = at", "strftime(day, '%Y') = '1'", "date_format(at, `od d`) = '1'", "date_format(at, 'yyyy', 'x') = '1'", "date_format(at, 'yyyy-QQ') = '1'", "date_format(at, 'y%m') = '1'", 'TRY_CAST(id AS STRING) IS NULL', "CAST(`od d` AS DATE) = day", 'CAST(money AS BIGINT) = 1', 'CAST(id AS SMALLINT) = 1', "id > '5'", "day > 'today'", "at > '2026-01-01'", 'random() > 0', 'id > (SELECT 1)', 'id IN (SELECT 1)', 'upper(`od d`) = \'A\'', 'CAST(d AS BIGINT) > 1', 'list[0] = 1', 'bytes = bytes', 'ok > 1', 'id = 99999999999999999999', "date_format(day, 'y') = '1'", '`od d` LIKE `od d`', 'count(*) > 1', 'id > 1 AND id', '1L > 0', 'ok <=> ok = ok', 'ok = ok IN (TRUE, FALSE)', 'ok = ok BETWEEN FALSE AND TRUE', 'ok = ok = ok', '(id > 0) = ok', 'at = naive', "short = 'a'",
  ])('not %s', async (expression) => {
    await expect(toCondition(lab.session, expression, schema)).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE', facts: { expression } });
  }); // prettier-ignore
});

test('any comparison is kept for any rows', async () => {
  const leaf = fc.tuple(fc.constantFrom('id > ', 'id <= ', 'id <=> ', 'id <> '), fc.integer({ min: -3, max: 3 }));
  const holds: Record<string, (id: number | null, n: number) => boolean | null> = {
    'id > ': (id, n) => (id === null ? null : id > n),
    'id <= ': (id, n) => (id === null ? null : id <= n),
    'id <=> ': (id, n) => id === n,
    'id <> ': (id, n) => (id === null ? null : id !== n),
  };
  const ids = fc.array(fc.option(fc.integer({ min: -4, max: 4 })), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(leaf, leaf, ids, async ([a, n], [b, m], rows) => {
      const store = lab.store();
      await lab.written(lab.table(store), 'SELECT 1::BIGINT AS id WHERE false', { schema: await lab.schemaOf('SELECT 1::BIGINT AS id') });
      await constrain(store, 'rule', `${a}${String(n)} OR ${b}${String(m)}`);
      const isRight = rows.every((id) => holds[a]?.(id, n) === true || holds[b]?.(id, m) === true);
      const source = `SELECT unnest([${rows.map((id) => id ?? 'NULL').join(', ')}])::BIGINT AS id`;
      const outcome = await lab.write(lab.table(store), source).then(() => 'written', (error: unknown) => (error as { code: string }).code);
      expect(outcome).toBe(isRight ? 'written' : 'CONSTRAINT_VIOLATED');
    }),
    { numRuns: 40 },
  );
}); // prettier-ignore
