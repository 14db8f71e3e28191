/**
 * Rows that are deleted, updated, merged and replaced in tables with deletion vectors, with a change data feed, with both and with
 * neither: the same rows every time, and a feed that leads from each version to the next.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct } from '../../../core/schema.ts';
import { seededRandom } from '../../../core/random.ts';
import { textOf as textIn, type Row } from '../../../engine/values.ts';
import type { DeltaTable } from '../../../tables/index.ts';
import { BusyStore, Lab, paths, readText } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const VECTORS = 'delta.enableDeletionVectors';
const FEED = 'delta.enableChangeDataFeed';
const MODES = [false, true].flatMap((vectors) => [false, true].map((feed) => ({ vectors, feed })));
const PARTS = [`'a'`, `'b c'`, 'NULL'];

const textOf = (row: Row): string => [row['id'], row['part'], row['v']].map(String).join('|');
const sorted = (texts: readonly string[]): string[] => [...texts].sort();
const rowsOf = async (table: DeltaTable, at?: bigint): Promise<string[]> => sorted((await lab.rows(table, at)).map(textOf)); // prettier-ignore

/** What the feed says of a version. */
async function feedOf(table: DeltaTable, version: bigint): Promise<{ type: string; row: string }[]> {
  const { relation } = await table.changeFeed(version, version);
  const rows = await lab.session.rows(`FROM ${relation}`);
  return rows.map((row) => ({ type: textIn(row['_change_type']), row: textOf(row) }));
}

/** The rows of a version, from those of the one before and the feed. */
async function followed(table: DeltaTable, before: readonly string[], version: bigint): Promise<string[]> {
  const rows = [...before];
  const feed = await feedOf(table, version);
  for (const { row } of feed.filter(({ type }) => type === 'delete' || type === 'update_preimage')) {
    const at = rows.indexOf(row);
    expect(at, `version ${String(version)} takes out ${row}, which is not there`).toBeGreaterThanOrEqual(0);
    rows.splice(at, 1);
  }
  return sorted([...rows, ...feed.filter(({ type }) => type === 'insert' || type === 'update_postimage').map(({ row }) => row)]); // prettier-ignore
}

const CASES = MODES.flatMap((mode) => [1, 2, 3].map((seed) => ({ ...mode, seed })));

test.each(CASES)('any row of operations: vectors $vectors, feed $feed, seed $seed', async ({ vectors, feed, seed }) => {
  const random = seededRandom(seed);
  const store = lab.store();
  const table = lab.table(store, { checkpointInterval: 4 });
  const pick = (max: number): string => String(random.int(max));
  const values = (count: number, from: number): string =>
    `SELECT * FROM (VALUES ${Array.from({ length: count }, (_, i) => `(${String(from + i)}::BIGINT, ${PARTS[random.int(3)] ?? ''}::VARCHAR, ${pick(50)}::BIGINT)`).join(', ')}) AS t(id, part, v)`;
  const mode = ['none', 'name', 'id'][seed % 3] ?? 'none';
  await table.create({
    schema: struct([field('id', primitive('long')), field('part', primitive('string')), field('v', primitive('long'))]),
    partitionColumns: seed % 2 === 0 ? ['part'] : [],
    properties: { [VECTORS]: String(vectors), [FEED]: String(feed), 'delta.columnMapping.mode': mode },
  });
  await table.append(lab.session, { source: values(40, 0) });
  // The model is a table of DuckDB's own, to which SQL does the same.
  await lab.session.run(`CREATE OR REPLACE TEMP TABLE model AS SELECT id, part, v FROM ${await (await table.snapshot()).relation()}`);
  let next = 40;
  for (let step = 0; step < 14; step++) {
    const before = { rows: await rowsOf(table), version: (await table.snapshot()).version };
    const condition = [`id % 7 = ${pick(7)}`, `v > ${pick(50)}`, `part IS NULL AND v < ${pick(40)}`, `part = 'a'`, 'true'][random.int(step % 5 === 4 ? 5 : 4)] ?? 'false';
    const kind = random.int(6);
    if (kind === 0) {
      await table.delete(lab.session, { where: condition });
      await lab.session.run(`DELETE FROM model WHERE ${condition}`);
    } else if (kind === 1) {
      await table.update(lab.session, { where: condition, set: { v: 'v * 2 + id', part: `CASE WHEN v > 30 THEN 'b c' ELSE part END` } });
      await lab.session.run(`UPDATE model SET v = v * 2 + id, part = CASE WHEN v > 30 THEN 'b c' ELSE part END WHERE ${condition}`);
    } else if (kind === 2) {
      const source = values(12, random.int(next));
      await lab.session.run(`CREATE OR REPLACE TEMP TABLE news AS ${source}`);
      const n = pick(50);
      const twin = pick(3) === '0' ? [] : [{ condition: 'source.v % 2 = 0', values: '*' as const }];
      await table.merge(lab.session, {
        source,
        on: 'target.id = source.id',
        whenMatched: [{ condition: `source.v < ${n}`, delete: true }, { set: { v: 'source.v' } }],
        whenNotMatched: twin,
      });
      await lab.session.run(`MERGE INTO model AS target USING news AS source ON target.id = source.id WHEN MATCHED AND source.v < ${n} THEN DELETE WHEN MATCHED THEN UPDATE SET v = source.v${twin.length === 0 ? '' : ' WHEN NOT MATCHED AND source.v % 2 = 0 THEN INSERT (id, part, v) VALUES (source.id, source.part, source.v)'}`);
      next += 12;
    } else if (kind === 3) {
      const source = `SELECT * FROM (${values(3, next)}) WHERE ${condition}`;
      await lab.session.run(`CREATE OR REPLACE TEMP TABLE news AS ${source}`);
      await table.overwrite(lab.session, { source, replaceWhere: condition });
      await lab.session.run(`DELETE FROM model WHERE ${condition}`);
      await lab.session.run('INSERT INTO model FROM news');
      next += 3;
    } else if (kind === 4) {
      const source = values(6, next);
      await lab.session.run(`INSERT INTO model ${source}`);
      await table.append(lab.session, { source });
      next += 6;
    } else {
      await table.optimize(lab.session, random.int(2) === 0 ? { purge: true } : {});
    }
    const wanted = sorted((await lab.session.rows('FROM model')).map(textOf));
    const said = `step ${String(step)}, kind ${String(kind)}, ${condition}`;
    expect(await rowsOf(table), said).toEqual(wanted);
    expect(await rowsOf(lab.table(store)), said).toEqual(wanted);
    expect(await rowsOf(table, before.version), said).toEqual(before.rows);
    const after = await table.snapshot();
    expect(after.rows, said).toBe(BigInt(wanted.length));
    if (!vectors) expect(after.files.some(({ deletionVector }) => deletionVector !== undefined)).toBe(false);
    if (feed && after.version > before.version) expect(await followed(table, before.rows, after.version), said).toEqual(wanted);
  }
  expect((await table.check(lab.session)).problems).toEqual([]);
  const data = (await paths(store)).filter((path) => !path.startsWith('_delta_log'));
  lab.clock.advance(1000);
  await table.vacuum({ retainHours: 0, force: true });
  expect(data.length).toBeGreaterThan(0);
  expect(await rowsOf(lab.table(store))).toEqual(sorted((await lab.session.rows('FROM model')).map(textOf)));
}); // prettier-ignore

async function three(properties: Readonly<Record<string, string>>, store = lab.store()): Promise<DeltaTable> {
  const table = lab.table(store);
  await lab.written(table, `SELECT unnest([1, 2, 3])::BIGINT AS id, 'a' AS part, 0::BIGINT AS v`, { properties });
  return table;
}

test('the kinds of changes are told: with and without vectors, for each operation', async () => {
  for (const vectors of ['true', 'false']) {
    const table = await three({ [FEED]: 'true', [VECTORS]: vectors });
    await table.delete(lab.session, { where: 'id = 1' });
    expect(await feedOf(table, 1n)).toEqual([{ type: 'delete', row: '1|a|0' }]);
    await table.update(lab.session, { where: 'id = 2', set: { v: '7' } });
    const update = await feedOf(table, 2n);
    expect(sorted(update.map(({ type, row }) => `${type} ${row}`))).toEqual(['update_postimage 2|a|7', 'update_preimage 2|a|0']);
    await table.merge(lab.session, {
      source: `SELECT unnest([2, 3, 4])::BIGINT AS id, 'n' AS part, 9::BIGINT AS v`,
      on: 'target.id = source.id',
      whenMatched: [{ condition: 'source.id = 2', delete: true }, { set: '*' }],
      whenNotMatched: [{ values: '*' }],
    });
    expect(sorted((await feedOf(table, 3n)).map(({ type, row }) => `${type} ${row}`))).toEqual([
      'delete 2|a|7',
      'insert 4|n|9',
      'update_postimage 3|n|9',
      'update_preimage 3|a|0',
    ]);
  }
}); // prettier-ignore

test('a vector is written only where it tells something: whole files go as they are', async () => {
  const store = lab.store();
  const table = await three({ [VECTORS]: 'true' }, store);
  expect(await table.delete(lab.session, { where: 'id = 1' })).toMatchObject({
    rows: 1n,
    filesAdded: 0,
    filesRemoved: 0,
  });
  const [file] = (await table.snapshot()).files;
  expect(file?.deletionVector).toMatchObject({ storageType: 'u', offset: 1, cardinality: 1n });
  expect(JSON.parse(file?.stats ?? '')).toMatchObject({ numRecords: 3, tightBounds: false });
  await table.delete(lab.session, { where: 'id = 3' });
  const vectors = async (): Promise<string[]> => (await paths(store)).filter((path) => path.endsWith('.bin'));
  expect(await vectors()).toHaveLength(2);
  expect(await table.update(lab.session, { where: 'id = 2', set: { v: '5' } })).toMatchObject({
    rows: 1n,
    filesAdded: 1,
    filesRemoved: 1,
  });
  expect(await table.delete(lab.session)).toMatchObject({ filesAdded: 0, filesRemoved: 1 });
  expect((await table.snapshot()).files).toEqual([]);
  expect(await vectors()).toHaveLength(2);
});

test.each([VECTORS, FEED])('what was staged for a commit that lost is deleted: %s', async (property) => {
  const store = new BusyStore('memory://busy', lab.clock);
  const table = await three({ [property]: 'true' }, store);
  store.before.push(() => lab.table(store).delete(lab.session, { where: 'id = 1' }));
  await table.update(lab.session, { where: 'id < 3', set: { v: 'v + 1' } });
  expect(await rowsOf(lab.table(store))).toEqual(['2|a|1', '3|a|0']);
  const log = (await paths(store)).filter((path) => path.startsWith('_delta_log') && path.endsWith('.json'));
  const text = (await Promise.all(log.map((path) => readText(store, path)))).join('');
  const data = (await paths(store)).filter((path) => path.endsWith('.parquet') && !path.startsWith('_delta_log'));
  for (const path of data) expect(text).toContain(path);
  const vectors = (await paths(store)).filter((path) => path.endsWith('.bin'));
  const named = new Set([...text.matchAll(/"pathOrInlineDv":"([^"]+)"/g)].map(([, name]) => name));
  expect(vectors).toHaveLength(named.size);
  await store.close();
});

test('a feed cannot be kept beside columns with its names', async () => {
  const table = lab.table();
  await lab.written(table, 'SELECT 1::BIGINT AS id, 2 AS _commit_version');
  await expect(
    table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { [FEED]: 'true' } }),
  ).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('_commit_version') as string });
}); // prettier-ignore
