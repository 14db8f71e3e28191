/** Overwrites, whole, by condition and by partition: what a table then holds is what a model of it holds. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../../core/random.ts';
import { primitive } from '../../../core/schema.ts';
import type { OverwriteOptions } from '../../../tables/index.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { BusyStore, Lab, paths } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

interface ModelRow {
  readonly id: number;
  readonly part: string | null;
  readonly v: number | null;
}

const PARTS = [null, 'a', 'b c', 'ü=/%'];
const sorted = (rows: readonly ModelRow[]): ModelRow[] =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

async function rowsOf(table: DeltaTable): Promise<ModelRow[]> {
  const rows = await lab.session.rows(`SELECT id, part, v FROM ${await (await table.snapshot()).relation()}`);
  return sorted(rows.map(({ id, part, v }) => ({ id: Number(id), part: part as string | null, v: v === null ? null : Number(v) })));
} // prettier-ignore

function valuesOf(rows: readonly ModelRow[]): string {
  if (rows.length === 0) return `SELECT 1::BIGINT AS id, ''::VARCHAR AS part, 1::BIGINT AS v WHERE false`;
  const text = (row: ModelRow): string => `(${String(row.id)}::BIGINT, ${row.part === null ? 'NULL' : `'${row.part}'`}::VARCHAR, ${String(row.v)}::BIGINT)`;
  return `SELECT * FROM (VALUES ${rows.map(text).join(', ')}) AS t(id, part, v)`;
} // prettier-ignore

interface Condition {
  readonly where: string;
  readonly holds: (row: ModelRow) => boolean;
}

function someCondition(random: Random): Condition {
  const n = random.int(6);
  const part = PARTS[1 + random.int(3)] ?? 'a';
  const choices: readonly Condition[] = [
    { where: `id % 6 = ${String(n)}`, holds: ({ id }) => id % 6 === n },
    { where: `id >= ${String(n * 8)} AND id < ${String(n * 8 + 20)}`, holds: ({ id }) => id >= n * 8 && id < n * 8 + 20 },
    { where: `v > ${String(n * 10)} -- a comment`, holds: ({ v }) => v !== null && v > n * 10 },
    { where: `part = '${part}'`, holds: (row) => row.part === part },
    { where: `part IS NULL OR part = '${part}' AND v < 40`, holds: (row) => row.part === null || (row.part === part && row.v !== null && row.v < 40) },
    { where: 'true', holds: () => true },
    { where: 'NULL', holds: () => false },
  ];
  return choices[random.int(choices.length)] ?? { where: 'false', holds: () => false };
} // prettier-ignore

function someRows(random: Random, many: number): ModelRow[] {
  return Array.from({ length: random.int(many) }, () => ({
    id: random.int(60),
    part: PARTS[random.int(PARTS.length)] ?? null,
    v: random.int(5) === 0 ? null : random.int(80),
  }));
}

test.each(Array.from({ length: 12 }, (_, i) => i + 1))('any row of overwrites, seed %i', async (seed) => {
  const random = seededRandom(seed);
  const store = lab.store();
  const table = lab.table(store, { checkpointInterval: 3 });
  const partitionColumns = seed % 3 === 0 ? [] : ['part'];
  let rows = [...someRows(random, 40), { id: 1, part: 'a', v: 1 }];
  const made = await table.append(lab.session, { source: valuesOf(rows), partitionColumns });
  expect(made).toMatchObject({ version: 0n, rows: BigInt(rows.length) });
  const done: string[] = [];
  for (let step = 0; step < 8; step++) {
    const more = someRows(random, 14);
    const { where, holds } = someCondition(random);
    const kind = random.int(5);
    const says = (): string => done.join('\n');
    if (kind === 0) {
      done.push('append');
      await table.append(lab.session, { source: valuesOf(more) });
      rows.push(...more);
    } else if (kind === 1) {
      done.push('dynamic');
      await table.overwrite(lab.session, { source: valuesOf(more), partitionOverwriteMode: 'dynamic' });
      const parts = new Set(more.map(({ part }) => part));
      const isWhole = partitionColumns.length === 0;
      rows = [...rows.filter(({ part }) => !isWhole && !parts.has(part)), ...more];
    } else if (kind === 2) {
      done.push('static');
      await table.overwrite(lab.session, { source: valuesOf(more) });
      rows = more;
    } else {
      done.push(`replaceWhere ${where}`);
      const before = (await table.snapshot()).version;
      const wrong = more.find((row) => !holds(row));
      if (wrong !== undefined) {
        const failing = table.overwrite(lab.session, { source: valuesOf(more), replaceWhere: where });
        await expect(failing, says()).rejects.toMatchObject({ code: 'REPLACE_WHERE_MISMATCH' });
        expect((await table.snapshot()).version).toBe(before);
      }
      const fine = more.filter(holds);
      const result = await table.overwrite(lab.session, { source: valuesOf(fine), replaceWhere: where });
      expect(result.rows).toBe(BigInt(fine.length));
      rows = [...rows.filter((row) => !holds(row)), ...fine];
    }
    expect(await rowsOf(lab.table(store)), says()).toEqual(sorted(rows));
    const { files, removed } = await table.snapshot();
    const data = (await paths(store)).filter((path) => path.endsWith('.parquet') && !path.startsWith('_delta_log'));
    expect(data.length, says()).toBe(files.length + removed.length);
  }
  expect((await table.check(lab.session)).problems).toEqual([]);
});

test('a replaceWhere over partitions takes whole files, and leaves the others alone', async () => {
  const table = lab.table();
  await table.append(lab.session, {
    source: `SELECT range AS id, 'p' || range % 3 AS part FROM range(30)`,
    partitionColumns: ['part'],
  });
  const before = (await table.snapshot()).files.map(({ path }) => path);
  const result = await table.overwrite(lab.session, { source: `SELECT 99 AS id, 'p1' AS part`, replaceWhere: `part = 'p1'` });
  expect(result).toEqual({ version: 1n, rows: 1n, filesAdded: 1, filesRemoved: 1 });
  const after = (await table.snapshot()).files.map(({ path }) => path);
  expect(after.filter((path) => before.includes(path))).toHaveLength(2);
  expect((await table.history(1))[0]).toMatchObject({
    operation: 'WRITE',
    operationParameters: { mode: 'Overwrite', predicate: `part = 'p1'`, partitionBy: '[]' },
    metrics: { numOutputRows: '1', numDeletedRows: '10', numCopiedRows: '0' },
  });
}); // prettier-ignore

test('partition values are compared as values, however their texts are', async () => {
  const table = lab.table();
  const row = (at: string, id: number): string => `SELECT ${String(id)}::BIGINT AS id, TIMESTAMPTZ '${at}' AS at, 1.50::DECIMAL(6,2) AS d`;
  const partitionColumns = ['at', 'd'];
  await table.append(lab.session, { source: row('2026-01-01 00:00:00+00', 1), partitionColumns });
  const [file] = (await table.snapshot()).files;
  // As Spark writes them.
  const partitionValues = { at: '2026-01-02 00:00:00', d: '1.5' };
  await table.commit({ operation: 'WRITE', mode: 'append', add: [{ ...file, path: 'spark.parquet', partitionValues } as never] });
  const result = await table.overwrite(lab.session, { source: row('2026-01-02 00:00:00+00', 2), partitionOverwriteMode: 'dynamic' });
  expect(result).toMatchObject({ filesRemoved: 1 });
  expect((await lab.rows(table)).map(({ id }) => id)).toEqual([1n, 2n]);
}); // prettier-ignore

test.each<readonly [string, OverwriteOptions, (table: DeltaTable) => Promise<unknown>, readonly number[]]>([
  ['another partition', { source: valuesOf([{ id: 9, part: 'a', v: 0 }]), partitionOverwriteMode: 'dynamic' }, (table) => table.overwrite(lab.session, { source: valuesOf([{ id: 8, part: 'b', v: 0 }]), partitionOverwriteMode: 'dynamic' }), [8, 9]],
  ['the same partition', { source: valuesOf([{ id: 9, part: 'a', v: 0 }]), partitionOverwriteMode: 'dynamic' }, (table) => table.overwrite(lab.session, { source: valuesOf([{ id: 8, part: 'a', v: 0 }]), partitionOverwriteMode: 'dynamic' }), [2, 9]],
  ['a delete in it', { source: valuesOf([{ id: 9, part: 'a', v: 0 }]), replaceWhere: `part = 'a'` }, (table) => table.delete(lab.session, { where: 'id = 1' }), [2, 9]],
  ['a delete elsewhere', { source: valuesOf([{ id: 9, part: 'a', v: 0 }]), replaceWhere: `part = 'a'` }, (table) => table.delete(lab.session, { where: 'id = 2' }), [9]],
  ['an append, whole', { source: valuesOf([{ id: 9, part: 'a', v: 0 }]) }, (table) => table.append(lab.session, { source: valuesOf([{ id: 7, part: 'b', v: 0 }]) }), [9]],
  ['an update of what no row meets', { source: valuesOf([{ id: 50, part: 'a', v: 0 }]), replaceWhere: 'id > 40' }, (table) => table.update(lab.session, { set: { id: '45' }, where: 'id = 1' }), [2, 50]],
  ['new columns', { source: valuesOf([{ id: 9, part: 'a', v: 0 }]), replaceWhere: `part = 'a'` }, (table) => table.append(lab.session, { source: `SELECT 5 AS id, 'b' AS part, 'x' AS name`, mergeSchema: true }), [2, 5, 9]],
])('an overwrite that races with %s', async (_, ours, theirs, ids) => {
  const store = new BusyStore('memory://busy', lab.clock);
  const [table, other] = [lab.table(store), lab.table(store)];
  await table.append(lab.session, { source: valuesOf([{ id: 1, part: 'a', v: 1 }, { id: 2, part: 'b', v: 2 }]), partitionColumns: ['part'] });
  const session = await lab.engine.session();
  store.before.push(() => theirs(other));
  await table.overwrite(session, ours);
  session.close();
  expect((await rowsOf(lab.table(store))).map(({ id }) => id).sort((a, b) => a - b)).toEqual(ids);
  await store.close();
}); // prettier-ignore

test('two who create one table at the same time: one creates it, both have their rows in it', async () => {
  const store = new BusyStore('memory://busy', lab.clock);
  const session = await lab.engine.session();
  store.before.push(() => lab.table(store).append(lab.session, { source: 'SELECT 1::BIGINT AS id' }));
  expect(await lab.table(store).append(session, { source: 'SELECT 2::BIGINT AS id' })).toMatchObject({ version: 1n });
  session.close();
  expect((await lab.rows(lab.table(store))).map(({ id }) => id)).toEqual([1n, 2n]);
  await store.close();
});

test('an append that is tried again under its application id is there once, also when two try at once', async () => {
  const store = new BusyStore('memory://busy', lab.clock);
  const append = (id: number, version: bigint) =>
    lab.table(store).append(lab.session, { source: `SELECT ${String(id)}::BIGINT AS id`, txn: new Map([['job', version]]) });
  expect(await append(1, 1n)).toMatchObject({ version: 0n });
  expect(await append(1, 1n)).toEqual({ version: undefined, rows: 0n, filesAdded: 0 });
  store.before.push(() => append(2, 2n));
  const session = await lab.engine.session();
  const again = await lab.table(store).append(session, { source: 'SELECT 2::BIGINT AS id', txn: new Map([['job', 2n]]) });
  session.close();
  expect(again.version).toBeUndefined();
  expect((await append(3, 3n)).version).toBe(2n);
  expect((await lab.rows(lab.table(store))).map(({ id }) => id)).toEqual([1n, 2n, 3n]);
  expect((await paths(store)).filter((path) => path.endsWith('.parquet'))).toHaveLength(3);
  await store.close();
}); // prettier-ignore

test('columns fit by name; new ones are added when told so, also inside structs; all may be replaced', async () => {
  const table = lab.table();
  const { session } = lab;
  await table.append(session, { source: `SELECT 1::BIGINT AS id, {a: 1::BIGINT} AS s, [{x: 1}] AS list, 'k' AS k` });
  await table.append(session, { source: `SELECT 'l' AS K, 2::TINYINT AS ID, {A: 2} AS s` });
  const more = `SELECT 3 AS id, {b: DATE '2026-01-01', a: 3} AS s, [{y: 'y', x: 2}] AS list, 1.5::DOUBLE AS news`;
  await expect(table.append(session, { source: more })).rejects.toMatchObject({
    code: 'SCHEMA_INCOMPATIBLE',
    message: expect.stringMatching(/no column s\.b.*no column list\.element\.y.*no column news/) as string,
    advice: expect.stringContaining('mergeSchema') as string,
  });
  await table.append(session, { source: more, mergeSchema: true });
  expect(await lab.session.rows(`SELECT id, s, list, k, news FROM ${await (await table.snapshot()).relation()} ORDER BY id`)).toEqual([
    { id: 1n, s: { a: 1n, b: null }, list: [{ x: 1, y: null }], k: 'k', news: null },
    { id: 2n, s: { a: 2n, b: null }, list: null, k: 'l', news: null },
    { id: 3n, s: { a: 3n, b: '2026-01-01' }, list: [{ x: 2, y: 'y' }], k: null, news: 1.5 },
  ]);
  await table.overwrite(session, { source: `SELECT 'x' AS id, 1 AS n`, overwriteSchema: true, partitionColumns: ['n'] });
  const { schema, partitionColumns } = await table.snapshot();
  expect([schema.fields.map(({ name }) => name), partitionColumns]).toEqual([['id', 'n'], ['n']]);
  expect(schema.fields[0]?.type).toEqual(primitive('string'));
  expect(await lab.rows(table, 2n)).toHaveLength(3);
}); // prettier-ignore

test('what is wrong is said, and nothing changes', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const { session } = lab;
  await table.append(session, { source: valuesOf([{ id: 1, part: 'a', v: 1 }]), partitionColumns: ['part'] });
  const source = valuesOf([{ id: 2, part: 'b', v: 2 }]);
  const before = await paths(store);
  const wrong: [() => Promise<unknown>, string, RegExp][] = [
    [() => table.create({ schema: { kind: 'struct', fields: [] } }), 'TABLE_EXISTS', /already/],
    [() => table.append(session, { source: 'SELEC 1' }), 'SQL_SYNTAX', /the source/],
    [() => table.append(session, { source: `SELECT 'x' AS id` }), 'SCHEMA_INCOMPATIBLE', /id is bigint in the table and string/],
    [() => table.append(session, { source: `SELECT 1 AS id, 2 AS ID` }), 'SCHEMA_INCOMPATIBLE', /ID twice/],
    [() => table.append(session, { source: `SELECT 1 AS idd` }), 'SCHEMA_INCOMPATIBLE', /no column idd \(Did you mean id\?\)/],
    [() => table.append(session, { source: `SELECT 1e30 AS id` }), 'VALUE_OUT_OF_RANGE', /does not fit/],
    [() => table.append(session, { source: `SELECT TIME '12:00' AS v` }), 'TYPE_UNSUPPORTED', /TIME/],
    [() => table.append(session, { source, partitionColumns: ['id'] }), 'SCHEMA_INCOMPATIBLE', /partitioned/],
    [() => table.overwrite(session, { source, partitionColumns: ['id'] }), 'SCHEMA_INCOMPATIBLE', /overwrite|partitioned/],
    [() => table.overwrite(session, { source, replaceWhere: `part = 'a'` }), 'REPLACE_WHERE_MISMATCH', /\{"id":2,"part":"b","v":2\}/],
    [() => table.overwrite(session, { source, replaceWhere: 'prat = 1' }), 'SQL_INVALID', /prat/],
    [() => table.overwrite(session, { source, replaceWhere: 'random() < 1' }), 'SQL_INVALID', /random/],
    [() => table.overwrite(session, { source, replaceWhere: 'true', partitionOverwriteMode: 'dynamic' }), 'USAGE', /exclude each other/],
    [() => table.overwrite(session, { source, overwriteSchema: true, partitionOverwriteMode: 'dynamic' }), 'USAGE', /exclude each other/],
  ];
  for (const [work, code, message] of wrong) {
    await expect(work()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await paths(store)).toEqual(before);
  }
  expect(await table.create({ schema: (await table.snapshot()).schema, ifNotExists: true })).toBeUndefined();
  expect(await table.overwrite(session, { source: `${source} LIMIT 0`, partitionOverwriteMode: 'dynamic' })).toMatchObject({ version: undefined });
  await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { 'delta.appendOnly': 'true' } });
  await expect(table.overwrite(session, { source })).rejects.toMatchObject({ code: 'TABLE_APPEND_ONLY' });
}); // prettier-ignore
