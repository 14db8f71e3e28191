/** Columns with defaults: rows that lack them get the default and not NULL, whichever way they come. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { field, primitive, struct, type Field } from '../../../core/schema.ts';
import type { DeltaTable } from '../../../tables/index.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab, START_MS } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const ID = field('id', primitive('long'));
const withDefault = (name: string, type: Parameters<typeof primitive>[0], CURRENT_DEFAULT: string): Field =>
  field(name, primitive(type), { CURRENT_DEFAULT });

async function made(fields: readonly Field[], partitionColumns: readonly string[] = [], store: ObjectStore = lab.store()): Promise<DeltaTable> {
  const table = lab.table(store);
  await table.create({ schema: struct([ID, ...fields]), partitionColumns });
  return table;
} // prettier-ignore

const NAMED = [withDefault('name', 'string', "'none'"), { ...withDefault('n', 'integer', '7'), nullable: false }];
const IDS = (...ids: number[]): string => `SELECT unnest([${ids.join(', ')}])::BIGINT AS id`;

test('every way to bring rows gives columns that they lack their default; values that they have stay, NULL too', async () => {
  const table = await made(NAMED);
  const session = lab.session;
  await table.append(session, { source: `${IDS(1)}, 'own' AS name` });
  await table.append(session, { source: `${IDS(2)}, NULL AS NAME, 3 AS n` });
  await lab.written(table, IDS(3), { schema: struct([ID]) });
  await table.merge(session, {
    source: `SELECT * FROM (VALUES (4, 'm'), (5, NULL)) AS s(id, name)`,
    on: 'target.id = source.id',
    whenNotMatched: [
      { condition: 'source.name IS NULL', values: { id: 'source.id' } },
      { values: { id: 'source.id', name: 'source.name' } },
    ],
  });
  expect(await lab.rows(table)).toEqual([
    { id: 1n, name: 'own', n: 7 },
    { id: 2n, name: null, n: 3 },
    { id: 3n, name: 'none', n: 7 },
    { id: 4n, name: 'm', n: 7 },
    { id: 5n, name: 'none', n: 7 },
  ]);
  await table.overwrite(session, { source: IDS(2), replaceWhere: 'id = 2' });
  await table.update(session, { set: { id: 'id + 10' }, where: 'id < 3' });
  expect((await lab.rows(table)).slice(-2)).toEqual([
    { id: 11n, name: 'own', n: 7 },
    { id: 12n, name: 'none', n: 7 },
  ]);
  await table.overwrite(session, { source: IDS(9) });
  expect(await lab.rows(table)).toEqual([{ id: 9n, name: 'none', n: 7 }]);
  expect((await table.snapshot()).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['appendOnly', 'invariants', 'allowColumnDefaults'] });
}); // prettier-ignore

test('a partition column has one too, also in a dynamic overwrite and with other names in data files', async () => {
  for (const properties of [{}, { 'delta.columnMapping.mode': 'name' }]) {
    const table = lab.table();
    const schema = struct([ID, withDefault('kind', 'string', "'a'"), withDefault('day', 'date', "'2026-01-31'")]);
    await table.create({ schema, partitionColumns: ['kind'], properties });
    await table.append(lab.session, { source: `${IDS(1)}, 'b' AS kind` });
    await table.append(lab.session, { source: IDS(2) });
    await table.overwrite(lab.session, { source: IDS(3), partitionOverwriteMode: 'dynamic' });
    const rows = await lab.rows(table);
    expect(rows.map(({ id, kind }) => [id, kind])).toEqual([
      [1n, 'b'],
      [3n, 'a'],
    ]);
    expect(rows[0]?.['day']).toEqual(rows[1]?.['day']);
    expect(rows[0]?.['day']).not.toBeNull();
  }
});

test('now is one instant of a statement', async () => {
  const table = await made([withDefault('at', 'timestamp', 'current_timestamp()'), withDefault('day', 'date', 'CURRENT_DATE')]);
  await table.append(lab.session, { source: IDS(1, 2) });
  await table.merge(lab.session, { source: IDS(3), on: 'target.id = source.id', whenNotMatched: [{ values: { id: 'source.id' } }] });
  const [row, ...more] = await lab.session.rows(`SELECT DISTINCT epoch_ms("at") AS "at", day::VARCHAR AS day FROM ${await (await table.snapshot()).relation()}`);
  expect([row, more]).toEqual([{ at: BigInt(START_MS), day: '2026-03-01' }, []]);
}); // prettier-ignore

test('a default that sluice does not understand is in the way of those rows alone that need it', async () => {
  const store = lab.store();
  await expect(made([withDefault('u', 'string', 'uuid()')], [], store)).rejects.toMatchObject({
    code: 'UNSUPPORTED_FEATURE',
    facts: { expression: 'uuid()' },
  });
  const table = await made([withDefault('u', 'string', "'x'")], [], store);
  await store.put('_delta_log/00000000000000000000.json', await changed(store, "'x'", 'uuid()'), 'replace');
  const other = lab.table(store);
  await expect(other.append(lab.session, { source: IDS(1) })).rejects.toThrow(/of the default of u, the expression uuid\(\) is not understood/);
  await expect(table.exists()).resolves.toBe(true);
  await other.append(lab.session, { source: `${IDS(1)}, 'mine' AS u` });
  await other.merge(lab.session, { source: `${IDS(2)}, 'm' AS u`, on: 'false', whenNotMatched: [{ values: '*' }] });
  await other.delete(lab.session, { where: 'id = 1' });
  expect(await lab.rows(other)).toEqual([{ id: 2n, u: 'm' }]);
}); // prettier-ignore

async function changed(store: ObjectStore, from: string, to: string): Promise<Uint8Array> {
  const bytes = await store.get('_delta_log/00000000000000000000.json');
  return new TextEncoder().encode(new TextDecoder().decode(bytes).replace(from, to));
}

test('rows that were staged for other columns do not get in', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = await made(NAMED, [], store);
  const add = await lab.stage(table, IDS(1));
  const { metadata, version } = await table.snapshot();
  const fields = metadata.schema.fields.map((one) => (one.name === 'name' ? withDefault('name', 'string', "'other'") : one));
  const alter = await lab.table(store).commit({ operation: 'CHANGE COLUMN', mode: 'append', add: [], metadata: { ...metadata, schema: struct(fields) } });
  expect(alter).toMatchObject({ kind: 'committed', version: version + 1n });
  const late = await table.commit({ operation: 'WRITE', mode: 'append', add });
  expect(late).toMatchObject({ kind: 'conflict', reason: { kind: 'metadata' } });
  await table.append(lab.session, { source: IDS(2) });
  expect((await lab.rows(table)).map(({ name }) => name)).toEqual(['other']);
  await store.close();
}); // prettier-ignore

test('an overwrite with other columns leaves none of them, one with the same keeps them', async () => {
  const table = await made(NAMED);
  await table.overwrite(lab.session, { source: `${IDS(1)}, 5 AS n`, overwriteSchema: true });
  expect(await lab.rows(table)).toEqual([{ id: 1n, n: 5 }]);
  await table.append(lab.session, { source: IDS(2) });
  expect((await lab.rows(table)).at(-1)).toEqual({ id: 2n, n: null });
});

describe('refused', () => {
  test('columns that would get their defaults late', async () => {
    const table = await made([]);
    await table.append(lab.session, { source: IDS(1) });
    const column = withDefault('late', 'string', "'x'");
    const late = { code: 'SCHEMA_INCOMPATIBLE', facts: { column: 'late' } };
    await expect(table.alter(lab.session, { addColumns: [{ column }] })).rejects.toMatchObject(late);
    await expect(lab.write(table, IDS(2), { schema: struct([ID, column]) })).rejects.toMatchObject(late);
    await expect(
      lab.write(lab.table(), `${IDS(2)}, 'a' AS late`, { schema: struct([ID, column]) }),
    ).rejects.toMatchObject(late);
  });

  test.each([
    ['long', "'1'"],
    ['integer', '1.5'],
    ['string', '1'],
    ['float', '0.1'],
    ['timestamp', "'2026-01-01'"],
    ['date', 'current_timestamp()'],
    ['boolean', '1'],
    ['string', 'id'],
    ['string', '"x"'],
  ] as const)('%s DEFAULT %s', async (type, expression) => {
    await expect(made([withDefault('c', type, expression)])).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  });
});
