/** Identity columns: no number is given twice, whoever else writes; and nobody brings one where the table gives them all. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { field, primitive, struct, type Field } from '../../../core/schema.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { DeltaTable } from '../../../tables/index.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const identity = (name: string, start: number | bigint, step: number, allowExplicitInsert: boolean): Field =>
  field(name, primitive('long'), {
    'delta.identity.start': start,
    'delta.identity.step': step,
    'delta.identity.allowExplicitInsert': allowExplicitInsert,
  });
const NAME = field('name', primitive('string'));
const ALWAYS = [identity('id', 1, 1, false), NAME];
const BY_DEFAULT = [identity('id', 10, -5, true), NAME];

async function made(
  fields: readonly Field[],
  { store = lab.store(), partitionColumns = [], properties = {} }: { readonly store?: ObjectStore; readonly partitionColumns?: readonly string[]; readonly properties?: Readonly<Record<string, string>> } = {},
): Promise<DeltaTable> {
  const table = lab.table(store);
  await table.create({ schema: struct(fields), partitionColumns, properties });
  return table;
} // prettier-ignore

const NAMES = (...names: string[]): string => `SELECT unnest([${names.map((name) => `'${name}'`).join(', ')}]) AS name`;
const ids = async (table: DeltaTable): Promise<unknown[]> => (await lab.rows(table)).map(({ id }) => id);
const mark = async (table: DeltaTable): Promise<unknown> =>
  (await table.snapshot()).schema.fields[0]?.metadata['delta.identity.highWaterMark'];

test('every way to bring rows numbers them on from the last', async () => {
  const table = await made(ALWAYS);
  const { session } = lab;
  await table.append(session, { source: NAMES('a', 'b') });
  await lab.written(table, NAMES('c'));
  await table.overwrite(session, { source: NAMES('d', 'e'), replaceWhere: `name IN ('d', 'e')` });
  expect(await ids(table)).toEqual([1n, 2n, 3n, 4n, 5n]);
  await table.merge(session, {
    source: NAMES('e', 'f', 'g'),
    on: 'target.name = source.name',
    whenMatched: [{ set: { name: `'E'` } }],
    whenNotMatched: [{ condition: `source.name = 'f'`, values: { name: `'F'` } }, { values: { name: 'source.name' } }],
  });
  expect(await ids(table)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  expect(await mark(table)).toBe(7n);
  await table.delete(session, { where: 'id > 2' });
  await table.overwrite(session, { source: NAMES('x') });
  expect(await ids(table)).toEqual([8n]);
  await table.optimize(session);
  await table.update(session, { set: { name: `'y'` } });
  expect(await lab.rows(table)).toEqual([{ id: 8n, name: 'y' }]);
  expect((await table.snapshot()).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['appendOnly', 'invariants', 'identityColumns'] });
}); // prettier-ignore

test('in partitions, with other names in data files, with a feed of changes: the same numbers in all of them', async () => {
  const table = await made(ALWAYS, {
    partitionColumns: ['name'],
    properties: { 'delta.columnMapping.mode': 'name', 'delta.enableChangeDataFeed': 'true', 'delta.enableDeletionVectors': 'true' },
  });
  await table.append(lab.session, { source: NAMES('a', 'b', 'a', 'c') });
  expect((await ids(table)).sort()).toEqual([1n, 2n, 3n, 4n]);
  await table.merge(lab.session, {
    source: NAMES('a', 'n', 'm'),
    on: `target.name = source.name`,
    whenMatched: [{ set: { name: `'A'` } }],
    whenNotMatched: [{ values: { name: 'source.name' } }],
  });
  const { version } = await table.snapshot();
  const { relation } = await table.changeFeed(version, version);
  const inserted = await lab.session.rows(`SELECT id, name FROM ${relation} WHERE _change_type = 'insert' ORDER BY id`);
  expect(inserted).toEqual((await lab.rows(table)).filter(({ name }) => name === 'n' || name === 'm'));
  await table.delete(lab.session, { where: 'id = 5' });
  await table.append(lab.session, { source: NAMES('z') });
  expect((await ids(table)).at(-1)).toBe(7n);
}); // prettier-ignore

test('BY DEFAULT keeps numbers that rows bring, and numbers the others', async () => {
  const table = await made(BY_DEFAULT);
  await table.append(lab.session, { source: `SELECT 3::BIGINT AS id, 'own' AS name` });
  expect(await mark(table)).toBeUndefined();
  await table.append(lab.session, { source: NAMES('a', 'b', 'c') });
  await table.merge(lab.session, {
    source: NAMES('m', 'n'),
    on: 'false',
    whenNotMatched: [
      { condition: `source.name = 'm'`, values: { id: '100', name: 'source.name' } },
      { values: { name: 'source.name' } },
    ],
  });
  const all = await lab.rows(table);
  expect(all.filter(({ name }) => name !== 'n').map(({ id }) => id)).toEqual([0n, 3n, 5n, 10n, 100n]);
  expect([-5n, -10n]).toContain(all.find(({ name }) => name === 'n')?.['id']);
});

test('writers at the same time give different numbers', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = await made(ALWAYS, { store });
  const early = await lab.stage(table, NAMES('early'));
  store.before.push(() => lab.table(store).append(lab.session, { source: NAMES('first') }));
  await table.append(lab.session, { source: NAMES('second', 'third') });
  const late = await table.commit({ operation: 'WRITE', mode: 'append', add: early });
  expect(late).toMatchObject({ kind: 'conflict', reason: { kind: 'metadata' } });
  const tables = [1, 2, 3].map(() => lab.table(store));
  const session = await Promise.all(tables.map(() => lab.engine.session()));
  await Promise.all(tables.map((one, i) => one.append(session[i] ?? lab.session, { source: NAMES('x', 'y') })));
  for (const one of session) one.close();
  expect(await ids(table)).toEqual(Array.from({ length: 9 }, (_, i) => BigInt(i + 1)));
  await store.close();
});

test('rows with new columns are numbered too, and a column keeps its numbers under another name', async () => {
  const table = await made(ALWAYS, { properties: { 'delta.columnMapping.mode': 'name' } });
  await table.append(lab.session, { source: `${NAMES('a')}, 1 AS more`, mergeSchema: true });
  await table.overwrite(lab.session, { source: `${NAMES('b')}, 2 AS most`, mergeSchema: true });
  await table.alter(lab.session, { renameColumn: { from: 'id', to: 'number' } });
  await table.merge(lab.session, {
    source: `${NAMES('c')}, 3 AS last`,
    on: 'target.name = source.name',
    whenNotMatched: [{ values: '*' }],
    withSchemaEvolution: true,
  });
  expect((await lab.rows(table)).map(({ number, name }) => [number, name])).toEqual([
    [2n, 'b'],
    [3n, 'c'],
  ]);
});

test('an older version that comes back does not give numbers again', async () => {
  const table = await made(ALWAYS);
  await table.append(lab.session, { source: NAMES('a') });
  await table.append(lab.session, { source: NAMES('b') });
  await table.restore(1n);
  await table.append(lab.session, { source: NAMES('c') });
  expect(await ids(table)).toEqual([1n, 3n]);
});

test('numbers end where BIGINT ends, with an error', async () => {
  const table = await made([identity('id', 9_223_372_036_854_775_806n, 1, false), NAME]);
  await table.append(lab.session, { source: NAMES('a', 'b') });
  await expect(table.append(lab.session, { source: NAMES('c') })).rejects.toMatchObject({ code: 'VALUE_OUT_OF_RANGE' });
  expect(await ids(table)).toEqual([9_223_372_036_854_775_806n, 9_223_372_036_854_775_807n]);
});

describe('refused', () => {
  test('numbers that nobody may bring, and those that would change', async () => {
    const table = await made(ALWAYS);
    await table.append(lab.session, { source: NAMES('a') });
    const own = `SELECT 7::BIGINT AS ID, 'own' AS name`;
    const wrong: (() => Promise<unknown>)[] = [
      () => table.append(lab.session, { source: own }),
      () => table.overwrite(lab.session, { source: own }),
      () => table.overwrite(lab.session, { source: own, replaceWhere: 'id = 7' }),
      () => lab.write(table, own.replace('ID', 'id')),
      () => table.merge(lab.session, { source: own, on: 'false', whenNotMatched: [{ values: '*' }] }),
      () => table.merge(lab.session, { source: own, on: 'true', whenMatched: [{ set: '*' }] }),
      () => table.update(lab.session, { set: { id: 'id + 1' } }),
    ];
    for (const write of wrong) await expect(write()).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', facts: { column: 'id' } }); // prettier-ignore
    expect(await ids(table)).toEqual([1n]);
    const byDefault = await made(BY_DEFAULT);
    await byDefault.append(lab.session, { source: NAMES('a') });
    await expect(byDefault.update(lab.session, { set: { id: '1' } })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' }); // prettier-ignore
  });

  test('rows of two queries with the same numbers in one commit', async () => {
    const table = await made(ALWAYS);
    const add = [...(await lab.stage(table, NAMES('a'))), ...(await lab.stage(table, NAMES('b')))];
    await expect(table.commit({ operation: 'WRITE', mode: 'append', add })).rejects.toMatchObject({ code: 'USAGE' });
  });

  const key = (part: string): string => `delta.identity.${part}`;
  test.each<[string, Field]>([
    ['a part of it is missing', field('id', primitive('long'), { [key('start')]: 1 })],
    ['steps of 0', identity('id', 1, 0, true)],
    ['another type', { ...identity('id', 1, 1, true), type: primitive('integer') }],
    ['no number', field('id', primitive('long'), { [key('start')]: '1', [key('step')]: 1, [key('allowExplicitInsert')]: true } satisfies JsonObject)],
  ])('at creation: %s', async (_, column) => {
    await expect(made([column, NAME])).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE', facts: { features: ['identityColumns'] } });
  }); // prettier-ignore

  test('at creation: as a partition', async () => {
    await expect(made(ALWAYS, { partitionColumns: ['id'] })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
  });
});
