import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemRandom } from '../../../core/random.ts';
import { DeltaTable, openStore } from '../../../tables/index.ts';
import { ENGINE_INFO } from '../../../tables/log/commit-info.ts';
import { Lab, readText, START_MS, writeText } from './tables.ts';
import packageJson from '../../../package.json' with { type: 'json' };

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

test('a table that is not there says so, and nothing is made by looking', async () => {
  const store = lab.store();
  const table = lab.table(store);
  expect(await table.exists()).toBe(false);
  await expect(table.snapshot()).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  await expect(table.snapshot(0n)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  await expect(table.history()).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  await expect(table.commit({ operation: 'WRITE', mode: 'append', add: [] })).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
  });
  const parts = { engine: lab.engine, clock: lab.clock, random: systemRandom };
  expect(() => DeltaTable.at('s4://bucket/x', parts)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('the first entry is what Spark and delta-rs expect of a new table', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, "SELECT 1::BIGINT AS id, 'a' AS name", {
    operation: 'CREATE TABLE AS SELECT',
    comment: 'things',
    properties: { 'delta.checkpointInterval': '7' },
    txn: new Map([['app', 5n]]),
    info: { rowsOut: 9223372036854775807n, from: { orders: '1..2' } },
  });
  const lines = (await readText(store, '_delta_log/00000000000000000000.json')).trimEnd().split('\n');
  const [commitInfo, protocol, metaData, txn, add] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(commitInfo).toMatchObject({
    commitInfo: {
      timestamp: lab.clock.nowMs(),
      operation: 'CREATE TABLE AS SELECT',
      operationParameters: { mode: 'Append', partitionBy: '[]' },
      isBlindAppend: true,
      operationMetrics: { numFiles: '1', numOutputRows: '1', numOutputBytes: expect.stringMatching(/^\d+$/) as string },
      engineInfo: `sluice/${packageJson.version}`,
      txnId: expect.stringMatching(/^[\da-f-]{36}$/) as string,
    },
  });
  expect(lines[0]).toContain('"rowsOut":9223372036854775807');
  expect(protocol).toEqual({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } });
  expect(metaData).toMatchObject({
    metaData: {
      description: 'things',
      format: { provider: 'parquet', options: {} },
      partitionColumns: [],
      configuration: { 'delta.checkpointInterval': '7' },
      createdTime: lab.clock.nowMs(),
    },
  });
  expect(txn).toEqual({ txn: { appId: 'app', version: 5, lastUpdated: lab.clock.nowMs() } });
  expect(add).toMatchObject({ add: { dataChange: true, partitionValues: {} } });
  expect(ENGINE_INFO).toBe(`sluice/${packageJson.version}`);
});

test('appends add rows, an overwrite removes all that were there, and each version stays readable', async () => {
  const table = lab.table();
  await lab.written(table, 'SELECT 1::BIGINT AS id');
  await lab.written(table, 'SELECT 2::BIGINT AS id');
  await lab.written(table, 'SELECT 3::BIGINT AS id', { mode: 'overwrite' });
  await lab.written(table, 'SELECT 4::BIGINT AS id WHERE false', { mode: 'overwrite' });
  expect(await lab.rows(table)).toEqual([]);
  expect(await lab.rows(table, 2n)).toEqual([{ id: 3n }]);
  expect(await lab.rows(table, 1n)).toEqual([{ id: 1n }, { id: 2n }]);
  expect(await lab.rows(table, 0n)).toEqual([{ id: 1n }]);
  const [first, second, third, fourth] = await table.changes(0n, 3n);
  expect(first).toMatchObject({ version: 0n, metadataChanged: true, removes: [] });
  expect(second).toMatchObject({ version: 1n, metadataChanged: false });
  expect(third?.removes.map((file) => file.path).sort()).toEqual(
    [...(first?.adds ?? []), ...(second?.adds ?? [])].map((file) => file.path).sort(),
  );
  expect(third?.removes.every((file) => file.dataChange && file.bytes !== undefined)).toBe(true);
  expect(fourth).toMatchObject({ adds: [], removes: [{ path: third?.adds[0]?.path }] });
  await expect(table.changes(2n, 4n)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
  expect(await table.changes(3n, 2n)).toEqual([]);
});

test('a snapshot is pinned: later commits do not change it', async () => {
  const table = lab.table();
  await lab.written(table, 'SELECT 1::BIGINT AS id');
  const pinned = await table.snapshot();
  const relation = await pinned.relation();
  await lab.written(table, 'SELECT 2::BIGINT AS id', { mode: 'overwrite', txn: new Map([['a', 1n]]) });
  expect([pinned.version, pinned.rows, pinned.files.length, pinned.txn.size]).toEqual([0n, 1n, 1, 0]);
  expect(await pinned.relation()).toBe(relation);
  expect(await lab.session.rows(`SELECT * FROM ${relation}`)).toEqual([{ id: 1n }]);
  expect((await table.snapshot()).txn).toEqual(new Map([['a', 1n]]));
});

test('two objects for one table see what the other committed, at once', async () => {
  const store = lab.store();
  const [a, b] = [lab.table(store), lab.table(store)];
  expect(await b.exists()).toBe(false);
  for (let i = 0; i < 12; i++) {
    const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
    const version = await lab.written(writer, `SELECT ${String(i)}::BIGINT AS id`);
    expect((await reader.snapshot()).version).toBe(version);
  }
  expect(await lab.rows(a)).toHaveLength(12);
  expect(await lab.rows(b)).toHaveLength(12);
});

test('history tells newest first what was done, also by writers that say little', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, 'SELECT 1::BIGINT AS id');
  lab.clock.advance(1000);
  await lab.written(table, 'SELECT 2::BIGINT AS id', {
    operation: 'STREAMING UPDATE',
    operationParameters: { outputMode: 'Append', epochId: 3, cols: ['a'] },
    info: { flow: 'silver.x' },
  });
  await writeText(
    store,
    '_delta_log/00000000000000000002.json',
    '{"commitInfo":{"operation":"OPTIMIZE","operationMetrics":{"numFiles":3}}}\n',
  );
  await writeText(store, '_delta_log/00000000000000000003.json', '{"txn":{"appId":"x","version":1}}\n');
  const history = await table.history();
  expect(history.map((entry) => [entry.version, entry.operation])).toEqual([
    [3n, undefined],
    [2n, 'OPTIMIZE'],
    [1n, 'STREAMING UPDATE'],
    [0n, 'WRITE'],
  ]);
  expect(history[1]?.metrics).toEqual({ numFiles: '3' });
  expect(history[2]).toMatchObject({
    operationParameters: { outputMode: 'Append', epochId: '3', cols: '["a"]' },
    metrics: { numFiles: '1', numOutputRows: '1' },
    isBlindAppend: true,
    info: { flow: 'silver.x' },
  });
  const times = history.map((entry) => entry.timestampMs).reverse();
  expect(times.every((ms, i) => i === 0 || ms > (times[i - 1] ?? 0))).toBe(true);
  expect(times[0]).toBeGreaterThanOrEqual(START_MS);
  expect((await table.history(2)).map((entry) => entry.version)).toEqual([3n, 2n]);
});

const line = (action: object): string => `${JSON.stringify(action)}\n`;
const entryPath = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;
const vector = (n: number): object => ({ storageType: 'u', pathOrInlineDv: `${'0'.repeat(19)}${String(n)}`, offset: 1, sizeInBytes: 8, cardinality: n }); // prettier-ignore

test('a file with other deleted rows is another file: in whatever order an entry has the two', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, 'SELECT unnest([1, 2, 3, 4])::BIGINT AS id');
  const [added] = (await table.snapshot()).files;
  const path = added?.path ?? '';
  const add = (n: number): string =>
    line({ add: { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange: true, stats: '{"numRecords":4}', deletionVector: vector(n) } }); // prettier-ignore
  const remove = (n?: number): string =>
    line({ remove: { path, deletionTimestamp: 1, dataChange: true, ...(n === undefined ? {} : { deletionVector: vector(n) }) } }); // prettier-ignore
  await writeText(store, entryPath(1), remove() + add(1));
  await writeText(store, entryPath(2), add(3) + remove(1));
  const rows = async (version: bigint): Promise<unknown> => {
    const snapshot = await lab.table(store).snapshot(version);
    return [snapshot.files.length, snapshot.rows, snapshot.files[0]?.deletionVector?.cardinality];
  };
  expect(await rows(0n)).toEqual([1, 4n, undefined]);
  expect(await rows(1n)).toEqual([1, 3n, 1n]);
  expect(await rows(2n)).toEqual([1, 1n, 3n]);
});

test('an absolute path leads to its file, inside of the folder of the table and outside', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-places-'));
  const at = (name: string): DeltaTable =>
    DeltaTable.at(join(folder, name), { engine: lab.engine, clock: lab.clock, random: systemRandom });
  await lab.written(at('from here'), 'SELECT 1::BIGINT AS id');
  const { location, files } = await at('from here').snapshot();
  const own = files[0]?.path ?? '';
  await lab.written(at('to'), 'SELECT 2::BIGINT AS id');
  const add = (path: string): string => line({ add: { path, partitionValues: {}, size: 1, modificationTime: 0, dataChange: true } }); // prettier-ignore
  await writeText(openStore(join(folder, 'to')), entryPath(1), add(`file://${encodeURI(location)}/${own}`));
  await writeText(openStore(location), entryPath(1), add(`${encodeURI(location)}/${own}`) + line({ remove: { path: own, dataChange: true } })); // prettier-ignore
  expect(await lab.rows(at('to'))).toEqual([{ id: 1n }, { id: 2n }]);
  expect(await lab.rows(at('from here'))).toEqual([{ id: 1n }]);
  await rm(folder, { recursive: true });
});

test('compacted entries beside the log are passed over', async () => {
  const store = lab.store();
  const table = lab.table(store);
  for (let i = 0; i < 3; i++) await lab.written(table, `SELECT ${String(i)}::BIGINT AS id`);
  await writeText(store, '_delta_log/00000000000000000000.00000000000000000002.compacted.json', 'not even JSON');
  await writeText(store, '_delta_log/00000000000000000002.crc', '{"tableSizeBytes":0}');
  expect(await lab.rows(lab.table(store))).toHaveLength(3);
});

test.each(['true', 'TRUE'])('delta.appendOnly is kept, whoever set it, also as %s', async (on) => {
  const table = lab.table();
  await lab.written(table, 'SELECT 1::BIGINT AS id', { properties: { 'delta.appendOnly': on } });
  await lab.written(table, 'SELECT 2::BIGINT AS id');
  await expect(lab.written(table, 'SELECT 3::BIGINT AS id', { mode: 'overwrite' })).rejects.toMatchObject({
    code: 'TABLE_APPEND_ONLY',
  });
  expect(await lab.rows(table)).toHaveLength(2);
  await lab.written(table, 'SELECT 4::BIGINT AS id', { properties: { 'delta.appendOnly': 'false' } });
  await lab.written(table, 'SELECT 5::BIGINT AS id', { mode: 'overwrite' });
  expect(await lab.rows(table)).toEqual([{ id: 5n }]);
});

test('while nothing changes, neither log nor checkpoint is read again', async () => {
  const store = lab.store();
  const reads: string[] = [];
  const counting = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        reads.push(`${String(name)} ${String(args[0])}`);
        return member.apply(target, args) as unknown;
      };
    },
  });
  const table = lab.table(counting);
  for (let i = 0; i < 12; i++) await lab.written(table, 'SELECT 1::BIGINT AS id');
  reads.length = 0;
  const first = await table.snapshot();
  expect(await table.snapshot()).toBe(first);
  expect(await table.exists()).toBe(true);
  expect(reads).toEqual(Array.from({ length: 3 }, () => 'get _delta_log/00000000000000000012.json'));
});
