/** ALTER TABLE: columns and rules change in one commit, files stay, and what would make the table wrong is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSchema } from '../../../core/schema-text.ts';
import { field, primitive, struct, typeName, type Field } from '../../../core/schema.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import type { Alteration } from '../../../tables/index.ts';
import { BusyStore, Lab, paths } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const NAME = { 'delta.columnMapping.mode': 'name' };
const column = (text: string): Field => parseSchema(text).fields[0] ?? field('', primitive('string'));

async function table(columns: string, source?: string, properties: Record<string, string> = {}, partitionColumns: readonly string[] = []): Promise<DeltaTable> {
  const made = lab.table();
  await made.create({ schema: parseSchema(columns), properties, partitionColumns });
  if (source !== undefined) await made.append(lab.session, { source });
  return made;
} // prettier-ignore

const columnsOf = async (made: DeltaTable): Promise<string[]> =>
  (await made.snapshot()).schema.fields.map(({ name, type, nullable }) => `${name} ${typeName(type)}${nullable ? '' : ' not null'}`); // prettier-ignore
const alter = (made: DeltaTable, alteration: Alteration): Promise<unknown> => made.alter(lab.session, alteration);

test('columns are added where they are wanted, inside structs, lists and maps too, and are NULL in the rows that are there', async () => {
  const made = await table('a BIGINT, s STRUCT<x: INT>, l ARRAY<STRUCT<y: INT>>, m MAP<STRING, STRUCT<z: INT>>', `SELECT 1 AS a, {x: 2} AS s, [{y: 3}] AS l, MAP {'k': {z: 4}} AS m`);
  await alter(made, {
    addColumns: [
      { column: column('first INT'), position: 'first' },
      { column: column(`mid STRING COMMENT 'said'`), position: { after: 'A' } },
      { column: column('w INT'), parent: 'S', position: 'first' },
      { column: column('y2 INT'), parent: ['l', 'element'] },
      { column: column('z2 INT'), parent: 'm.value' },
    ],
  });
  expect(await columnsOf(made)).toEqual([
    'first int', 'a bigint', 'mid string', 's struct<w:int,x:int>', 'l array<struct<y:int,y2:int>>', 'm map<string,struct<z:int,z2:int>>',
  ]);
  expect(await lab.rows(made)).toEqual([
    { first: null, a: 1n, mid: null, s: { w: null, x: 2 }, l: [{ y: 3, y2: null }], m: [{ key: 'k', value: { z: 4, z2: null } }] },
  ]);
  const [entry] = await made.history(1);
  expect(entry).toMatchObject({ operation: 'ADD COLUMNS', version: 2n });
  expect(entry?.operationParameters['columns']).toContain('{"column":{"name":"mid","type":"string","nullable":true,"metadata":{"comment":"said"}},"position":"AFTER a"}');
}); // prettier-ignore

test('a column is renamed: its values, statistics and partitions go on under the new name', async () => {
  const made = await table('a BIGINT, p STRING, s STRUCT<x: INT>', `SELECT 1 AS a, 'k' AS p, {x: 2} AS s`, NAME, ['p']);
  await alter(made, { renameColumn: { from: 'A', to: 'the id' } });
  await alter(made, { renameColumn: { from: 'p', to: 'part' } });
  await alter(made, { renameColumn: { from: 's.X', to: 'y' } });
  await made.append(lab.session, { source: `SELECT 2 AS "the id", 'k' AS part, {y: 3} AS s` });
  await made.update(lab.session, { set: { s: `{y: 9}` }, where: '"the id" = 1' });
  expect(await lab.rows(made)).toEqual([
    { 'the id': 1n, part: 'k', s: { y: 9 } },
    { 'the id': 2n, part: 'k', s: { y: 3 } },
  ]);
  expect((await made.snapshot()).partitionColumns).toEqual(['part']);
  expect((await made.history()).map(({ operationParameters }) => operationParameters['newColumnPath']).filter(Boolean)).toEqual(['s.y', 'part', 'the id']); // prettier-ignore
  await alter(made, { renameColumn: { from: 'the id', to: 'A' } });
  expect(await columnsOf(made)).toEqual(['A bigint', 'part string', 's struct<y:int>']);
});

test('a column that is dropped does not come back under its name', async () => {
  const made = await table('a BIGINT, b BIGINT, s STRUCT<x: INT, y: INT>', 'SELECT 1 AS a, 7 AS b, {x: 2, y: 3} AS s', NAME); // prettier-ignore
  await alter(made, { dropColumns: ['b', 's.x'] });
  expect(await lab.rows(made)).toEqual([{ a: 1n, s: { y: 3 } }]);
  await alter(made, { addColumns: [{ column: column('b BIGINT') }, { column: column('x INT'), parent: 's' }] });
  expect(await lab.rows(made)).toEqual([{ a: 1n, s: { y: 3, x: null }, b: null }]);
  const { properties, schema } = await made.snapshot();
  expect(properties['delta.columnMapping.maxColumnId']).toBe('7');
  expect(schema.fields.map(({ metadata }) => metadata['delta.columnMapping.id'])).toEqual([1, 3, 7]);
});

test('statistics that are asked for by name go with the columns', async () => {
  const made = await table('a BIGINT, b BIGINT, s STRUCT<x: INT>', undefined, { ...NAME, 'delta.dataSkippingStatsColumns': 'a,b,s.x' }); // prettier-ignore
  await alter(made, { renameColumn: { from: 's', to: 't' } });
  await alter(made, { dropColumns: ['b'] });
  expect((await made.snapshot()).properties['delta.dataSkippingStatsColumns']).toBe('a,t.x');
});

test('a column is widened, also inside of others, and old files are read as the new type', async () => {
  const made = await table('i INT, d DECIMAL(6,2), f FLOAT, day DATE, b TINYINT, l ARRAY<SMALLINT>, s STRUCT<x: INT>', `SELECT 1 AS i, 1.25 AS d, 0.5 AS f, DATE '2026-01-01' AS day, 3 AS b, [4] AS l, {x: 5} AS s`, { 'delta.enableTypeWidening': 'true' }); // prettier-ignore
  for (const [path, type] of [['i', 'BIGINT'], ['d', 'DECIMAL(12,4)'], ['f', 'DOUBLE'], ['day', 'TIMESTAMP_NTZ'], ['b', 'INT'], ['b', 'DOUBLE'], ['l.element', 'BIGINT'], ['s.x', 'DECIMAL(12,1)']] as const) {
    await alter(made, { alterColumn: { column: path, type: column(`c ${type}`).type } });
  } // prettier-ignore
  expect(await columnsOf(made)).toEqual(['i bigint', 'd decimal(12,4)', 'f double', 'day timestamp_ntz', 'b double', 'l array<bigint>', 's struct<x:decimal(12,1)>']); // prettier-ignore
  await made.append(lab.session, { source: `SELECT 5000000000 AS i, 12345678.1234 AS d, 1e300 AS f, TIMESTAMP '2026-01-02 03:04:05' AS day, 0.5 AS b, [5000000000] AS l, {x: 12345.6} AS s` }); // prettier-ignore
  expect((await lab.rows(made)).map(({ i, f, b, l }) => [i, f, b, l])).toEqual([[1n, 0.5, 3, [4n]], [5000000000n, 1e300, 0.5, [5000000000n]]]); // prettier-ignore
  const { schema } = await made.snapshot();
  const changes = Object.fromEntries(schema.fields.map(({ name, metadata }) => [name, metadata['delta.typeChanges']]));
  expect(changes).toMatchObject({
    i: [{ fromType: 'integer', toType: 'long' }],
    b: [{ fromType: 'byte', toType: 'integer' }, { fromType: 'integer', toType: 'double' }],
    l: [{ fromType: 'short', toType: 'long', fieldPath: 'element' }],
    s: undefined,
  }); // prettier-ignore
  expect((await made.check(lab.session)).problems).toEqual([]);
  const said = async (path: string): Promise<unknown> => {
    await alter(made, { alterColumn: { column: path, type: primitive('long') } });
    return (await made.history(1))[0]?.operationParameters['column'];
  };
  await alter(made, { addColumns: [{ column: column('m MAP<INT, INT>') }] });
  expect(await said('m.key')).toBe('{"name":"m.key","type":"long","nullable":false,"metadata":{}}');
  expect(await said('m.value')).toBe('{"name":"m.value","type":"long","nullable":true,"metadata":{}}');
});

test('rows of a wider type widen the column where the schema may evolve, and only there', async () => {
  const made = await table('i INT, f FLOAT', 'SELECT 1 AS i, 0.5 AS f', { 'delta.enableTypeWidening': 'true' });
  const wide = { source: 'SELECT 5000000000 AS i, 0.5::DOUBLE AS f' };
  await expect(made.append(lab.session, wide)).rejects.toMatchObject({ code: 'VALUE_OUT_OF_RANGE' });
  await made.append(lab.session, { ...wide, mergeSchema: true });
  expect(await columnsOf(made)).toEqual(['i bigint', 'f double']);
  expect(await lab.rows(made)).toEqual([{ i: 1n, f: 0.5 }, { i: 5000000000n, f: 0.5 }]); // prettier-ignore
  const merged = await table('i INT, v SMALLINT', 'SELECT 1 AS i, 2 AS v', { ...NAME, 'delta.enableTypeWidening': 'true' }); // prettier-ignore
  const merge = { source: 'SELECT 1 AS i, 70000 AS v', on: 'target.i = source.i', whenMatched: [{ set: '*' }], withSchemaEvolution: true } as const; // prettier-ignore
  await merged.merge(lab.session, merge);
  expect(await lab.rows(merged)).toEqual([{ i: 1, v: 70000 }]);
  expect((await merged.snapshot()).schema.fields[1]?.metadata['delta.typeChanges']).toEqual([{ fromType: 'short', toType: 'integer' }]); // prettier-ignore
  const off = await table('i INT', 'SELECT 1 AS i');
  await off.append(lab.session, { source: 'SELECT 2::BIGINT AS i', mergeSchema: true });
  expect(await columnsOf(off)).toEqual(['i int']);
});

test('a comment, a place among the others, and NOT NULL off and on', async () => {
  const made = await table('a BIGINT NOT NULL, b STRING, c INT', `SELECT 1 AS a, 'x' AS b, NULL AS c`);
  await alter(made, { alterColumn: { column: 'c', comment: 'third', position: 'first' } });
  await alter(made, { alterColumn: { column: 'a', nullable: true, position: { after: 'b' } } });
  expect(await columnsOf(made)).toEqual(['c int', 'b string', 'a bigint']);
  expect((await made.snapshot()).schema.fields[0]?.metadata).toEqual({ comment: 'third' });
  await expect(alter(made, { alterColumn: { column: 'c', nullable: false } })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED', facts: { rows: '1' } }); // prettier-ignore
  await alter(made, { alterColumn: { column: 'b', nullable: false } });
  await expect(made.append(lab.session, { source: 'SELECT 2 AS a' })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' }); // prettier-ignore
  await alter(made, { comment: 'all of them' });
  expect((await made.snapshot()).comment).toBe('all of them');
});

test('a constraint is added when every row keeps it, and dropped again', async () => {
  const made = await table('a BIGINT, b STRING', `FROM (VALUES (1, 'x'), (2, NULL), (NULL, 'y')) AS t(a, b)`);
  const add = (name: string, expression: string): Promise<unknown> => alter(made, { addConstraint: { name, expression } }); // prettier-ignore
  await expect(add('positive', 'a > 0')).rejects.toMatchObject({
    code: 'CONSTRAINT_VIOLATED',
    facts: { constraint: 'positive', rows: '1' },
    message: expect.stringContaining('{"a":null,"b":"y"}') as string,
  });
  await expect(add('odd', 'random() > a')).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  await expect(add('unknown', 'c > 0')).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  await made.delete(lab.session, { where: 'a IS NULL' });
  await add('Positive', 'a > 0');
  expect((await made.snapshot()).properties).toEqual({ 'delta.constraints.positive': 'a > 0' });
  expect((await made.snapshot()).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 3 });
  await expect(made.append(lab.session, { source: 'SELECT 0 AS a' })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED' }); // prettier-ignore
  await expect(add('POSITIVE', 'a > 1')).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
  await expect(alter(made, { dropConstraint: 'positiv' })).rejects.toMatchObject({ advice: 'Did you mean positive?' });
  await alter(made, { dropConstraint: 'POSITIVE' });
  await made.append(lab.session, { source: 'SELECT 0 AS a' });
  expect((await lab.rows(made)).length).toBe(3);
});

test('rows that others add while a constraint comes are looked at too', async () => {
  const store = new BusyStore('memory://constraint', lab.clock);
  const [made, other] = [lab.table(store), lab.table(store)];
  await lab.written(made, 'SELECT 1 AS a');
  store.before.push(() => lab.written(other, 'SELECT -1 AS a'));
  await expect(alter(made, { addConstraint: { name: 'c', expression: 'a > 0' } })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED' }); // prettier-ignore
  expect((await lab.table(store).snapshot()).properties).toEqual({});
  store.before.push(() => other.alter(lab.session, { comment: 'first' }));
  await alter(made, { addColumns: [{ column: column('b INT') }] });
  expect((await lab.table(store).snapshot()).comment).toBe('first');
  expect(await columnsOf(lab.table(store))).toEqual(['a int', 'b int']);
  await store.close();
});

describe('what is refused, before anything is written', () => {
  const COLUMNS = 'amount BIGINT, p STRING, s STRUCT<x: INT>, l ARRAY<INT>';
  test.each<readonly [string, Alteration, object]>([
    ['an unknown column', { dropColumns: ['amout'] }, { code: 'UNKNOWN_COLUMN', advice: 'Did you mean amount?' }],
    ['an unknown field', { renameColumn: { from: 's.y', to: 'z' } }, { code: 'UNKNOWN_COLUMN', facts: { column: 's.y' } }],
    ['a name that is none', { renameColumn: { from: 's..x', to: 'z' } }, { code: 'UNKNOWN_COLUMN' }],
    ['a name that is taken', { renameColumn: { from: 'amount', to: 'P' } }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['an added name that is taken', { addColumns: [{ column: column('AMOUNT INT') }] }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['NOT NULL for rows that are there', { addColumns: [{ column: column('n INT NOT NULL') }] }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['NOT NULL inside', { addColumns: [{ column: field('n', struct([{ ...column('x INT'), nullable: false }])) }] }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['a parent that is no struct', { addColumns: [{ column: column('n INT'), parent: 'amount' }] }, { code: 'UNKNOWN_COLUMN' }],
    ['a place beside nothing', { addColumns: [{ column: column('n INT'), position: { after: 'nothing' } }] }, { code: 'UNKNOWN_COLUMN' }],
    ['a partition column', { dropColumns: ['p'] }, { code: 'SCHEMA_INCOMPATIBLE', facts: { column: 'p' } }],
    ['the only field of a struct', { dropColumns: ['s.x'] }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['all but the partition column', { dropColumns: ['amount', 's', 'l'] }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['elements of a list', { dropColumns: ['l.element'] }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['a narrower type', { alterColumn: { column: 'amount', type: primitive('integer') } }, { code: 'SCHEMA_INCOMPATIBLE' }],
    ['a wider type, without the property', { alterColumn: { column: 's.x', type: primitive('long') } }, { code: 'SCHEMA_INCOMPATIBLE', advice: expect.stringContaining('delta.enableTypeWidening') as string }],
  ])('%s', async (_, alteration, error) => {
    const store = lab.store();
    const made = lab.table(store);
    await made.create({ schema: parseSchema(COLUMNS), partitionColumns: ['p'], properties: NAME });
    await expect(alter(made, alteration)).rejects.toMatchObject(error);
    expect(await paths(store, '_delta_log/')).toHaveLength(1);
  }); // prettier-ignore

  test('renaming and dropping without column mapping, saying how to switch it on', async () => {
    const made = await table(COLUMNS);
    for (const alteration of [{ dropColumns: ['amount'] }, { renameColumn: { from: 'amount', to: 'a' } }]) {
      await expect(alter(made, alteration)).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE', advice: expect.stringContaining('delta.columnMapping.mode=name') as string }); // prettier-ignore
    }
  });

  test('columns that a constraint or a generated column speaks of', async () => {
    const properties = { ...NAME, 'delta.enableTypeWidening': 'true' };
    const made = await table('a INT, s STRUCT<x: INT>, other INT', undefined, properties);
    await alter(made, { addConstraint: { name: 'c', expression: 'a > 0 AND `s`.x < 5' } });
    const facts = { dependents: ['the constraint c'] };
    for (const alteration of [{ dropColumns: ['a'] }, { renameColumn: { from: 's', to: 't' } }, { dropColumns: ['s'] }, { alterColumn: { column: 's.x', type: primitive('long') } }] as const) {
      await expect(alter(made, alteration)).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', facts });
    } // prettier-ignore
    await alter(made, { renameColumn: { from: 'other', to: 'x' } });
    await alter(made, { alterColumn: { column: 'x', type: primitive('long') } });
  });
});
