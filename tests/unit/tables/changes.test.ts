/** Rows that are deleted, updated and moved about: what the table then holds is what a model of it holds. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { seededRandom, systemRandom, type Random } from '../../../core/random.ts';
import { DeltaTable, openStore } from '../../../tables/index.ts';
import { BusyStore, Lab, paths, readText, writeText } from './tables.ts';

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

const COLUMNS = 'id, part, v';
const PARTS = [null, 'a', 'b c', 'ü=/%'];
const sorted = (rows: readonly ModelRow[]): ModelRow[] =>
  [...rows].sort((a, b) => a.id - b.id || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

async function rowsOf(table: DeltaTable, at?: bigint): Promise<ModelRow[]> {
  const rows = await lab.session.rows(`SELECT ${COLUMNS} FROM ${await (await table.snapshot(at)).relation()}`);
  return sorted(rows.map(({ id, part, v }) => ({ id: Number(id), part: part as string | null, v: v === null ? null : Number(v) })));
} // prettier-ignore

function valuesOf(rows: readonly ModelRow[]): string {
  const text = (row: ModelRow): string => `(${String(row.id)}::BIGINT, ${row.part === null ? 'NULL' : `'${row.part}'`}::VARCHAR, ${String(row.v)}::BIGINT)`;
  return `SELECT * FROM (VALUES ${rows.map(text).join(', ')}) AS t(id, part, v)`;
} // prettier-ignore

/** Conditions, and the same in JavaScript; NULL is not true. */
function someCondition(random: Random): { where: string; holds: (row: ModelRow) => boolean } {
  const n = random.int(7);
  const choices = [
    { where: `id % 7 = ${String(n)}`, holds: (row: ModelRow) => row.id % 7 === n },
    { where: `v > ${String(n * 10)}`, holds: (row: ModelRow) => row.v !== null && row.v > n * 10 },
    { where: `part = 'a' -- a comment`, holds: (row: ModelRow) => row.part === 'a' },
    { where: 'part IS NULL AND id < 20', holds: (row: ModelRow) => row.part === null && row.id < 20 },
    { where: 'true', holds: () => true },
    { where: 'NULL', holds: () => false },
  ];
  return choices[random.int(choices.length)] ?? { where: 'false', holds: () => false };
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('any row of operations, seed %i', async (seed) => {
  const random = seededRandom(seed);
  const store = lab.store();
  const table = lab.table(store, { checkpointInterval: 3 });
  const partitionColumns = random.int(2) === 0 ? [] : ['part'];
  const versions = new Map<bigint, readonly ModelRow[]>();
  let rows: ModelRow[] = [];
  let nextId = 0;
  const done: string[] = [];
  const record = (version: bigint | undefined, what: string): void => {
    done.push(`${what} → ${String(version)}`);
    if (version !== undefined) versions.set(version, sorted(rows));
  };
  for (let step = 0; step < 16; step++) {
    const kind = step === 0 ? 0 : random.int(6);
    if (kind <= 1) {
      const more = Array.from({ length: 1 + random.int(20) }, (): ModelRow => {
        const id = nextId++;
        return { id, part: PARTS[random.int(PARTS.length)] ?? null, v: random.int(5) === 0 ? null : random.int(80) };
      });
      rows.push(...more);
      record(await lab.written(table, valuesOf(more), { partitionColumns }), `append ${String(more.length)}`);
    } else if (kind === 2) {
      const { where, holds } = someCondition(random);
      const gone = rows.filter(holds).length;
      rows = rows.filter((row) => !holds(row));
      const result = await table.delete(lab.session, { where });
      expect(result.rows, [...done, where].join('\n')).toBe(BigInt(gone));
      record(result.version, `delete ${where}`);
    } else if (kind === 3) {
      const { where, holds } = someCondition(random);
      const changed = rows.filter(holds).length;
      rows = rows.map((row) => (holds(row) ? { id: row.id, part: row.v === null ? 'a' : null, v: row.id + (row.v ?? 0) } : row));
      const set = { V: 'id + coalesce(v, 0) -- the old one', part: `CASE WHEN v IS NULL THEN 'a' END` };
      const result = await table.update(lab.session, { where, set });
      expect(result.rows, [...done, where].join('\n')).toBe(BigInt(changed));
      record(result.version, `update ${where}`);
    } else if (kind === 4) {
      const { version } = await table.optimize(lab.session);
      record(version, 'optimize');
      const { files } = await table.snapshot();
      const partitions = new Set(files.map((file) => JSON.stringify(file.partitionValues)));
      expect(files.length).toBe(partitions.size);
      expect((await table.optimize(lab.session)).version).toBeUndefined();
    } else {
      lab.clock.advance(1000);
      await table.vacuum({ retainHours: 0, force: true });
      versions.clear();
      record((await table.snapshot()).version, 'vacuum');
      const data = (await paths(store)).filter((path) => !path.startsWith('_delta_log'));
      expect(data).toHaveLength((await table.snapshot()).files.length);
    }
    expect(await rowsOf(table), done.join('\n')).toEqual(sorted(rows));
    expect((await table.snapshot()).rows, done.join('\n')).toBe(BigInt(rows.length));
    expect(await rowsOf(lab.table(store)), done.join('\n')).toEqual(sorted(rows));
    for (const [version, were] of versions) expect(await rowsOf(table, version), done.join('\n')).toEqual(were);
  }
  expect((await table.check(lab.session)).problems).toEqual([]);
}); // prettier-ignore

async function busy(): Promise<{ store: BusyStore; ours: DeltaTable; theirs: DeltaTable }> {
  const store = new BusyStore('memory://busy', lab.clock);
  const [ours, theirs] = [lab.table(store), lab.table(store)];
  await lab.written(ours, 'SELECT unnest([1, 2, 3])::BIGINT AS id');
  await lab.written(ours, 'SELECT unnest([4, 5, 6])::BIGINT AS id');
  return { store, ours, theirs };
}
const idsOf = async (table: DeltaTable): Promise<unknown[]> => (await lab.rows(table)).map(({ id }) => id);

test.each<readonly [string, (table: DeltaTable) => Promise<unknown>, readonly bigint[]]>([
  ['rows appended', (table) => lab.written(table, 'SELECT unnest([7, 8])::BIGINT AS id'), [1n, 3n, 5n, 7n, 8n]],
  ['other rows of the same files deleted', (table) => table.delete(lab.session, { where: 'id IN (1, 5)' }), [3n]],
  ['the same rows deleted', (table) => table.delete(lab.session, { where: 'id = 2' }), [1n, 3n, 5n]],
  ['the same rows updated', (table) => table.update(lab.session, { where: 'id = 2', set: { id: '9' } }), [1n, 3n, 5n, 9n]],
  ['the files compacted', (table) => table.optimize(lab.session), [1n, 3n, 5n]],
  ['everything overwritten', (table) => lab.written(table, 'SELECT unnest([2, 11])::BIGINT AS id', { mode: 'overwrite' }), [11n]],
])('a delete that races with %s: both stand', async (_, theirs, left) => {
  const { store, ours, theirs: other } = await busy();
  store.before.push(() => theirs(other));
  await ours.delete(lab.session, { where: 'id % 2 = 0' });
  const after = await idsOf(lab.table(store));
  // What was appended without a look at the table counts as appended after the delete.
  expect(after.filter((id) => id !== 8n)).toEqual(left.filter((id) => id !== 8n));
  const data = (await paths(store)).filter((path) => path.endsWith('.parquet') && !path.startsWith('_delta_log'));
  const { files, removed } = await lab.table(store).snapshot();
  expect(data.length).toBe(files.length + removed.length);
  await store.close();
}); // prettier-ignore

test('under Serializable a delete sees rows that were appended meanwhile, under WriteSerializable they come after it', async () => {
  for (const [level, left] of [['Serializable', [1n, 3n, 5n, 7n]], ['WriteSerializable', [1n, 3n, 5n, 7n, 8n]]] as const) {
    const { store, ours, theirs } = await busy();
    await ours.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { 'delta.isolationLevel': level } });
    store.before.push(() => lab.written(theirs, 'SELECT unnest([7, 8])::BIGINT AS id'));
    await ours.delete(lab.session, { where: 'id % 2 = 0' });
    expect(await idsOf(lab.table(store))).toEqual(left);
    await store.close();
  }
}); // prettier-ignore

test('an optimize is not disturbed by appends, and goes again when its files are changed', async () => {
  const { store, ours, theirs } = await busy();
  store.before.push(
    () => lab.written(theirs, 'SELECT 7::BIGINT AS id'),
    () => theirs.delete(lab.session, { where: 'id = 1' }),
  );
  const first = await ours.optimize(lab.session);
  // The append lets it stand, the delete makes it look again; then there are three small files.
  expect(first).toMatchObject({ filesAdded: 1, filesRemoved: 3 });
  await lab.written(ours, 'SELECT 8::BIGINT AS id');
  store.before.push(() => theirs.delete(lab.session, { where: 'id = 2' }));
  await ours.optimize(lab.session);
  expect(await idsOf(lab.table(store))).toEqual([3n, 4n, 5n, 6n, 7n, 8n]);
  const commits = await lab.table(store).changes(0n, (await ours.snapshot()).version);
  const history = await ours.history();
  for (const { version } of history.filter(({ operation }) => operation === 'OPTIMIZE')) {
    const commit = commits.find((one) => one.version === version);
    expect([...(commit?.adds ?? []), ...(commit?.removes ?? [])].every(({ dataChange }) => !dataChange)).toBe(true);
  }
  await store.close();
});

test('what is wrong with a condition or a value is said, and nothing changes', async () => {
  const table = lab.table();
  await lab.written(table, `SELECT 1::BIGINT AS id, 'x' AS name`);
  const refused: [() => Promise<unknown>, string, RegExp][] = [
    [() => table.delete(lab.session, { where: 'nmae = 1' }), 'SQL_INVALID', /nmae/],
    [() => table.delete(lab.session, { where: 'id =' }), 'SQL_SYNTAX', /: id =/],
    [() => table.delete(lab.session, { where: ' ' }), 'SQL_SYNTAX', /empty/],
    [() => table.delete(lab.session, { where: 'random() < 0.5' }), 'SQL_INVALID', /random\(\)/],
    [() => table.update(lab.session, { set: { id: 'row_number() OVER ()' } }), 'SQL_INVALID', /window/],
    [() => table.update(lab.session, { set: { id: 'nope' }, where: 'false' }), 'SQL_INVALID', /SET.*nope/],
    [() => table.update(lab.session, { set: { nam: '1' } }), 'UNKNOWN_COLUMN', /no column nam/],
    [() => table.update(lab.session, { set: { id: `'word'` } }), 'VALUE_OUT_OF_RANGE', /word/],
    [() => table.update(lab.session, { set: { id: '1', ID: '2' } }), 'SQL_INVALID', /set twice/],
    [() => table.optimize(lab.session, { where: `name = 'x'` }), 'SQL_INVALID', /not partitioned/],
    [() => table.vacuum({ retainHours: 1 }), 'RETENTION_TOO_SHORT', /168/],
  ];
  for (const [work, code, message] of refused) {
    await expect(work()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect((await table.snapshot()).version).toBe(0n);
  }
  expect(await lab.rows(table)).toEqual([{ id: 1n, name: 'x' }]);
}); // prettier-ignore

test('vacuum spares what is young, what older versions need and what is hidden, and says what it would delete', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, 'SELECT 1::BIGINT AS id');
  await lab.written(table, 'SELECT 2::BIGINT AS id', { mode: 'overwrite' });
  const [old] = await table.changes(0n, 0n);
  await store.put('stray.parquet', new Uint8Array(3), 'create');
  await store.put('_hidden/file', new Uint8Array(3), 'create');
  await store.put('_change_data/old.parquet', new Uint8Array(3), 'create');
  const day = 24 * 3_600_000;
  lab.clock.advance(6 * day);
  expect((await table.vacuum()).deleted).toEqual([]);
  lab.clock.advance(2 * day);
  await store.put('under way.parquet', new Uint8Array(3), 'create');
  const would = ['_change_data/old.parquet', 'stray.parquet', old?.adds[0]?.path].sort();
  expect([...(await table.vacuum({ dryRun: true })).deleted].sort()).toEqual(would);
  expect(await paths(store)).toContain('stray.parquet');
  const result = await table.vacuum();
  expect([...result.deleted].sort()).toEqual(would);
  const left = await paths(store);
  for (const path of would) expect(left).not.toContain(path);
  for (const path of ['_hidden/file', 'under way.parquet']) expect(left).toContain(path);
  expect((await table.history()).map(({ operation }) => operation).slice(0, 2)).toEqual(['VACUUM END', 'VACUUM START']);
  expect(await lab.rows(table)).toEqual([{ id: 2n }]);
});

test('a restore is a new version with the rows, columns and properties of the old one', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, 'SELECT 1::BIGINT AS id', { txn: new Map([['p', 1n]]) });
  const old = await table.snapshot();
  await lab.written(table, `SELECT 2::BIGINT AS id, 'x' AS name`, { properties: { a: 'b' }, comment: 'c', txn: new Map([['p', 2n]]) });
  await table.delete(lab.session, { where: 'id = 1' });
  const wide = await lab.rows(table);
  expect(await table.restore(0n)).toEqual({ version: 3n, restored: 0n, filesRestored: 1, filesRemoved: 1 });
  for (const reader of [table, lab.table(store)]) {
    expect(await lab.rows(reader)).toEqual([{ id: 1n }]);
    const { schema, properties, comment, txn, tableId } = await reader.snapshot();
    expect({ schema, properties, comment, tableId }).toEqual({ schema: old.schema, properties: {}, comment: undefined, tableId: old.tableId });
    expect(txn.get('p')).toBe(2n);
  }
  expect((await table.restore(2n)).version).toBe(4n);
  expect(await lab.rows(table)).toEqual(wide);
  expect((await table.restore(4n)).version).toBeUndefined();
  expect((await table.history(1))[0]).toMatchObject({ operation: 'RESTORE', operationParameters: { version: '2' }, metrics: { numRestoredFiles: '1' } });
  await expect(table.restore(99n)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
  lab.clock.advance(1000);
  await table.vacuum({ retainHours: 0, force: true });
  await expect(table.restore(0n)).rejects.toMatchObject({ code: 'FILE_MISSING', message: expect.stringMatching(/@0 cannot be restored: part-/) as string });
  expect(await lab.rows(table)).toEqual(wide);
}); // prettier-ignore

test.each<readonly [string, (table: DeltaTable) => Promise<unknown>]>([
  ['an update', (table) => table.update(lab.session, { set: { id: 'id + 100' } })],
  ['an optimize', (table) => table.optimize(lab.session)],
  ['new properties', (table) => table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { a: 'b' } })],
  ['rows appended', (table) => lab.written(table, 'SELECT 9::BIGINT AS id')],
])('a restore that races with %s restores, and every version stays whole', async (_, theirs) => {
  const { store, ours, theirs: other } = await busy();
  await ours.delete(lab.session, { where: 'id < 3' });
  await lab.written(ours, 'SELECT 7::BIGINT AS id');
  const was = new Map<bigint, unknown>();
  for (let version = 0n; version <= 3n; version++) was.set(version, await lab.rows(ours, version));
  store.before.push(() => theirs(other));
  const { version } = await ours.restore(1n);
  for (const [old, rows] of was) expect(await lab.rows(lab.table(store), old)).toEqual(rows);
  expect(await lab.rows(lab.table(store), version)).toEqual(was.get(1n));
  await store.close();
}); // prettier-ignore

test('rows that are appended while other columns come back were not made for them', async () => {
  const store = new BusyStore('memory://busy', lab.clock);
  const [ours, theirs] = [lab.table(store), lab.table(store)];
  await lab.written(ours, 'SELECT 1::BIGINT AS id');
  await lab.written(ours, `SELECT 2::BIGINT AS id, 'x' AS name`);
  store.before.push(() => lab.written(theirs, `SELECT 3::BIGINT AS id, 'y' AS name`));
  const { version } = await ours.restore(0n);
  expect(version).toBe(3n);
  expect(await lab.rows(ours)).toEqual([{ id: 1n }]);
  expect(await lab.rows(ours, 2n)).toHaveLength(3);
  await store.close();
});

test('a vacuum and a restore that race: no file that is needed is deleted, whoever is first', async () => {
  const day = 24 * 3_600_000;
  const old = async () => {
    const { store, ours, theirs } = await busy();
    const was = await lab.rows(ours);
    await lab.written(ours, 'SELECT 1::BIGINT AS id', { mode: 'overwrite' });
    lab.clock.advance(8 * day);
    return { store, ours, theirs, was };
  };
  const first = await old();
  first.store.before.push(() => first.theirs.restore(1n));
  await first.ours.vacuum();
  expect(await lab.rows(lab.table(first.store))).toEqual(first.was);
  await first.store.close();

  const second = await old();
  second.store.before.push(() => second.theirs.vacuum());
  await expect(second.ours.restore(1n)).rejects.toMatchObject({ code: 'FILE_MISSING' });
  expect(await lab.rows(lab.table(second.store))).toEqual([{ id: 1n }]);
  await second.store.close();

  const third = await old();
  await third.ours.commit({ operation: 'VACUUM START', mode: 'append', add: [], operationParameters: {} });
  await expect(third.ours.restore(1n)).rejects.toMatchObject({ code: 'COMMIT_CONTENTION', message: expect.stringContaining('a vacuum began at version 3') as string });
  await third.ours.vacuum({ retainHours: 400 });
  lab.clock.advance(2 * day);
  expect(await third.ours.restore(1n)).toMatchObject({ filesRestored: 2 });
  expect(await lab.rows(third.ours)).toEqual(third.was);
  await third.store.close();
}); // prettier-ignore

test('a vacuum takes the retention that holds when it begins, and keeps what it is asked to keep', async () => {
  const day = 24 * 3_600_000;
  const { store, ours, theirs } = await busy();
  const was = await lab.rows(ours);
  await lab.written(ours, 'SELECT 1::BIGINT AS id', { mode: 'overwrite' });
  lab.clock.advance(10 * day);
  // A checkpoint forgets tombstones that are older than a week.
  for (let i = 0; i < 10; i++) await lab.written(ours, 'SELECT 2::BIGINT AS id');
  expect((await lab.table(store).vacuum({ retainHours: 20 * 24 })).deleted).toEqual([]);
  const properties = { 'delta.deletedFileRetentionDuration': 'interval 30 days' };
  store.before.push(() => theirs.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties }));
  expect((await ours.vacuum()).deleted).toEqual([]);
  expect(await lab.rows(lab.table(store), 1n)).toEqual(was);
  await store.close();
});

test('a vacuum knows its files by whatever name the log has for them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-vacuum-'));
  await symlink(folder, `${folder}-link`);
  const table = DeltaTable.at(join(folder, 't'), { engine: lab.engine, clock: systemClock, random: systemRandom });
  await lab.written(table, 'SELECT 1::BIGINT AS id');
  const { files: [file], location } = await table.snapshot();
  const path = file?.path ?? '';
  const names = [`${folder}-link/t/${path}`, `${folder}/x/../t/${path}`, `file://${folder}//t/${path}`];
  for (const [i, name] of names.entries()) {
    const actions = [{ remove: { path: i === 0 ? path : names[i - 1], deletionTimestamp: 0, dataChange: false } }, { add: { path: name, partitionValues: {}, size: 1, modificationTime: 0, dataChange: false } }];
    await writeText(openStore(location), `_delta_log/${String(i + 1).padStart(20, '0')}.json`, actions.map((action) => `${JSON.stringify(action)}\n`).join(''));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await table.vacuum({ retainHours: 0, force: true, dryRun: true })).deleted).toEqual([]);
    expect(await lab.rows(table)).toEqual([{ id: 1n }]);
  }
  await rm(`${folder}-link`);
  await rm(folder, { recursive: true });
}); // prettier-ignore

test('what may not be done to a table is refused before anything is read or written', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, 'SELECT 1::BIGINT AS id');
  await lab.written(table, 'SELECT 2::BIGINT AS id', { properties: { 'delta.appendOnly': 'true' } });
  const operations: (() => Promise<unknown>)[] = [
    () => table.delete(lab.session, { where: 'id = 1' }),
    () => table.update(lab.session, { set: { id: '1' } }),
    () => table.merge(lab.session, { source: 'SELECT 1 AS id', on: 'target.id = source.id', whenMatched: [{ delete: true }] }),
    () => table.restore(0n),
  ];
  for (const operation of operations) await expect(operation()).rejects.toMatchObject({ code: 'TABLE_APPEND_ONLY' });
  const protocol = { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: [], writerFeatures: ['icebergCompatV1'] };
  await writeText(store, '_delta_log/00000000000000000002.json', `${JSON.stringify({ protocol })}\n`);
  operations.push(() => table.optimize(lab.session), () => table.vacuum({ dryRun: true }));
  for (const operation of operations) await expect(operation()).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  expect((await paths(store)).filter((path) => path.endsWith('.parquet'))).toHaveLength(2);
}); // prettier-ignore

test('columns may have any name, and a file that is gone is named', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const names = ['file_row_number', '__sluice_path', '__sluice_file', 'taken', 'rows', 't', 'path'];
  const row = (n: number): string => `SELECT ${names.map((name, i) => `${String(n * 10 + i)}::BIGINT AS "${name}"`).join(', ')}`;
  await lab.written(table, row(1), { partitionColumns: ['__sluice_file'] });
  await lab.written(table, row(2), { partitionColumns: ['__sluice_file'] });
  expect(await table.update(lab.session, { set: { t: 't + "rows"' }, where: 'taken = 13 AND "path" = 16' })).toMatchObject({ rows: 1n });
  expect(await table.delete(lab.session, { where: '__sluice_path = 21' })).toMatchObject({ rows: 1n });
  expect(await lab.rows(table)).toEqual([Object.fromEntries(names.map((name, i) => [name, name === 't' ? 29n : BigInt(10 + i)]))]);
  const [file] = (await table.snapshot()).files;
  await store.delete(file?.path ?? '');
  await store.close();
  await expect(table.delete(lab.session, { where: 'taken = 13' })).rejects.toMatchObject({ message: expect.stringContaining(file?.path ?? '') as string });
}); // prettier-ignore

test('a check finds what is not as the log says, and names every file', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const query = (n: number): string =>
    `SELECT ${String(n)}::BIGINT + range AS id, CASE WHEN range > 0 THEN repeat('ü', 40) || range END AS name, range / 7 AS x, TIMESTAMPTZ '2026-01-01 00:00:00.1234567+00' + INTERVAL (range) SECOND AS at FROM range(10)`;
  for (let i = 0; i < 6; i++) await lab.written(table, query(i * 10));
  expect(await table.check(lab.session)).toEqual({ version: 5n, files: 6, problems: [] });
  const { files } = await table.snapshot();
  const [missing, cut, swapped, few, wide, nulls] = files.map(({ path }) => path) as [string, string, string, string, string, string];
  await store.delete(missing);
  await store.put(cut, (await store.get(cut)).subarray(0, 300), 'replace');
  await store.put(swapped, await store.get(few), 'replace');
  const change = async (version: number, from: RegExp, to: string): Promise<void> => {
    const path = `_delta_log/${String(version).padStart(20, '0')}.json`;
    const text = await readText(store, path);
    expect(text).toMatch(from);
    await writeText(store, path, text.replace(from, to));
  };
  await change(3, /numRecords\\":10/, String.raw`numRecords\":9`);
  await change(4, /(?<before>maxValues\\":\{[^}]*\\"id\\":)49/, '$<before>45');
  await change(5, /(?<before>nullCount\\":\{[^}]*\\"id\\":)0/, '$<before>2');
  const { problems } = await lab.table(store).check(lab.session);
  const found = new Map<string, string[]>();
  for (const { file, kind, message } of problems) found.set(file, [...(found.get(file) ?? []), `${kind}: ${message}`]);
  expect(found.get(missing)).toEqual(['missing: the file does not exist']);
  expect(found.get(cut)?.[0]).toMatch(/^size: the file has 300 bytes/);
  expect(found.get(cut)?.[1]).toMatch(/^unreadable: /);
  expect(found.get(swapped)).toContain('statistics: 10 values of column id are above the maximum in the log');
  expect(found.get(few)).toEqual(['rows: the file has 10 rows, the log says 9']);
  expect(found.get(wide)).toEqual(['statistics: 4 values of column id are above the maximum in the log']);
  expect(found.get(nulls)).toEqual(['statistics: 2 NULLs of column id more or less than the log says']);
  await store.close();
}); // prettier-ignore
