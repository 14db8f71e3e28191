import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SluiceError } from '../../../core/errors.ts';
import { systemClock } from '../../../core/clock.ts';
import { systemRandom } from '../../../core/random.ts';
import type { PutMode, PutResult } from '../../../tables/store/object-store.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import { DeltaTable } from '../../../tables/table.ts';
import { compiled, runModule } from '../../contract/compiled.ts';
import { Lab, paths } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

type Fault = (path: string, write: () => Promise<PutResult>) => Promise<PutResult>;

/** A store whose next writes of log entries go wrong, one fault each. */
class TroubledStore extends MemoryStore {
  readonly faults: Fault[] = [];
  readonly deleted: string[] = [];
  unreadable = 0;

  override async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    const fault = path.endsWith('.json') ? this.faults.shift() : undefined;
    const write = (): Promise<PutResult> => super.put(path, bytes, mode);
    return fault === undefined ? write() : fault(path, write);
  }

  override async get(path: string): Promise<Uint8Array> {
    if (this.unreadable > 0) {
      this.unreadable--;
      throw noReply(path);
    }
    return super.get(path);
  }

  override async delete(path: string): Promise<void> {
    this.deleted.push(path);
    await super.delete(path);
  }
}

function noReply(path: string): SluiceError {
  return new SluiceError('STORAGE_FAILED', `no reply for ${path}`);
}

const happenedButNoReply: Fault = async (path, write) => {
  await write();
  throw noReply(path);
};
const happenedButTold: Fault = async (_, write) => {
  await write();
  return 'exists';
};
const neverHappened: Fault = (path) => Promise.reject(noReply(path));
const diskFull: Fault = (path) => Promise.reject(new SluiceError('STORAGE_FULL', `no space for ${path}`));

const ONE = 'SELECT 1::BIGINT AS id';

test.each([
  ['the write happened and its reply was lost', [happenedButNoReply]],
  ["the write happened and its own retry was told 'exists'", [happenedButTold]],
  ['the write failed without effect, twice', [neverHappened, neverHappened]],
  ['a failure, then a lost reply', [neverHappened, happenedButNoReply]],
])('one commit is in the log exactly once when %s', async (_, faults) => {
  const store = new TroubledStore();
  const table = lab.table(store);
  await lab.written(table, ONE);
  store.faults.push(...faults);
  expect(await lab.written(table, 'SELECT 2::BIGINT AS id', { txn: new Map([['a', 1n]]) })).toBe(1n);
  expect(store.faults).toEqual([]);
  expect(await paths(store, '_delta_log/')).toHaveLength(2);
  for (const reader of [table, lab.table(store)]) expect(await lab.rows(reader)).toEqual([{ id: 1n }, { id: 2n }]);
  expect(store.deleted).toEqual([]);
  await store.close();
});

test('a lost reply in the first commit does not create the table twice', async () => {
  const store = new TroubledStore();
  store.faults.push(happenedButNoReply);
  expect(await lab.written(lab.table(store), ONE)).toBe(0n);
  expect(await paths(store, '_delta_log/')).toHaveLength(1);
  await store.close();
});

test('a reply lost to a winner is a loss: the rows go into the next version', async () => {
  const store = new TroubledStore();
  const [a, b] = [lab.table(store), lab.table(store)];
  await lab.written(a, ONE);
  store.faults.push(async (path) => {
    await lab.written(b, 'SELECT 10::BIGINT AS id');
    throw noReply(path);
  });
  expect(await lab.written(a, 'SELECT 2::BIGINT AS id')).toBe(2n);
  expect(await lab.rows(a)).toEqual([{ id: 1n }, { id: 2n }, { id: 10n }]);
  await store.close();
});

test('while the log cannot be read back nothing is decided; when it can, the commit is found', async () => {
  const store = new TroubledStore();
  const table = lab.table(store);
  await lab.written(table, ONE);
  store.faults.push(async (path, write) => {
    await write();
    store.unreadable = 2;
    throw noReply(path);
  });
  expect(await lab.written(table, 'SELECT 2::BIGINT AS id')).toBe(1n);
  expect(await lab.rows(lab.table(store))).toHaveLength(2);
  await store.close();
});

test('storage that stays silent is an error that says that nobody knows, and nothing is deleted', async () => {
  const store = new TroubledStore();
  const table = lab.table(store);
  await lab.written(table, ONE);
  const add = await lab.stage(table, 'SELECT 2::BIGINT AS id');
  store.faults.push(async (path, write) => {
    await write();
    store.unreadable = 1000;
    throw noReply(path);
  });
  await expect(table.commit({ operation: 'WRITE', mode: 'append', add })).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('not known whether') as string,
  });
  store.unreadable = 0;
  expect(store.deleted).toEqual([]);
  expect(await lab.rows(lab.table(store))).toHaveLength(2);
  await store.close();
});

test('a full disk is told at once, and the table is as before', async () => {
  const store = new TroubledStore();
  const table = lab.table(store);
  await lab.written(table, ONE);
  store.faults.push(diskFull);
  await expect(lab.written(table, ONE)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  expect((await table.snapshot()).version).toBe(0n);
  expect(await lab.written(table, ONE)).toBe(1n);
  await store.close();
});

test('who expects another position loses, against the table and against a winner', async () => {
  const store = lab.store();
  const [a, b] = [lab.table(store), lab.table(store)];
  const move = (to: bigint, from: bigint | undefined) => ({
    txn: new Map([['p', to]]),
    expect: new Map([['p', from]]),
  });
  await lab.written(a, ONE, move(5n, undefined));
  await b.snapshot();
  await lab.written(a, ONE, move(8n, 5n));
  const lost = await lab.write(b, ONE, move(9n, 5n));
  expect(lost).toMatchObject({ kind: 'conflict', reason: { kind: 'txn', version: 1n } });
  expect(lost.kind === 'conflict' && lost.reason.message).toContain('p is at 8, not at 5');
  expect(await lab.write(b, ONE, move(1n, undefined))).toMatchObject({ kind: 'conflict', reason: { kind: 'txn' } });
  expect(await lab.write(b, ONE, move(9n, 8n))).toMatchObject({ kind: 'committed', version: 2n });
  expect((await a.snapshot()).txn.get('p')).toBe(9n);
  const nothing = lab.table();
  expect(await lab.write(nothing, ONE, move(9n, 8n))).toMatchObject({ kind: 'conflict', reason: { kind: 'txn' } });
  expect(await nothing.exists()).toBe(false);
});

/** Commits `winner` between the loser's look at the table and its write. */
async function race(
  winner: (table: DeltaTable) => Promise<unknown>,
  loser: (table: DeltaTable) => Promise<unknown>,
): Promise<unknown> {
  const store = new TroubledStore();
  const [a, b] = [lab.table(store), lab.table(store)];
  await lab.written(a, "SELECT 1::BIGINT AS id, 'x' AS name", { txn: new Map([['p', 1n]]) });
  await b.snapshot();
  store.faults.push(async (_, write) => {
    await winner(a);
    return write();
  });
  try {
    return await loser(b);
  } finally {
    await store.close();
  }
}

const row = (id: number): string => `SELECT ${String(id)}::BIGINT AS id, 'x' AS name`;

test('appends that race both stand', async () => {
  const result = await race(
    (table) => lab.written(table, row(2), { txn: new Map([['other', 1n]]) }),
    (table) => lab.write(table, row(3), { txn: new Map([['p', 2n]]), expect: new Map([['p', 1n]]) }),
  );
  expect(result).toMatchObject({ kind: 'committed', version: 2n });
});

test.each([
  ['txn', row(2), { txn: new Map([['p', 2n]]) }, { txn: new Map([['p', 3n]]), expect: new Map([['p', 1n]]) }],
  ['txn', row(2), { txn: new Map([['p', 2n]]) }, { txn: new Map([['p', 3n]]) }],
  ['metadata', `${row(2)}, 1 AS new`, {}, {}],
  ['concurrentAppend', row(2), {}, { mode: 'overwrite' as const }],
  ['protocol', `${row(2)}, TIMESTAMP '2026-01-01' AS t`, {}, {}],
])('a winner that makes a conflict of kind %s is a value, not an error', async (kind, query, winner, loser) => {
  const result = await race(
    (table) => lab.written(table, query, winner),
    (table) => lab.write(table, row(9), loser),
  );
  expect(result).toMatchObject({ kind: 'conflict', reason: { kind, version: 1n } });
});

test('an overwrite after an overwrite leaves one set of rows', async () => {
  const store = new TroubledStore();
  const [a, b] = [lab.table(store), lab.table(store)];
  await lab.written(a, ONE);
  await b.snapshot();
  store.faults.push(async (_, write) => {
    await a.commit({ operation: 'DELETE', mode: 'overwrite', add: [] });
    return write();
  });
  expect(await lab.write(b, 'SELECT 2::BIGINT AS id', { mode: 'overwrite' })).toMatchObject({ version: 2n });
  expect(await lab.rows(a)).toEqual([{ id: 2n }]);
  await store.close();
});

test('a writer that is never first gives up after a bounded number of attempts', async () => {
  const store = new TroubledStore();
  const [a, b] = [lab.table(store), lab.table(store)];
  await lab.written(a, ONE);
  await b.snapshot();
  const add = await lab.stage(b, ONE);
  const other: Fault = async (_, write) => {
    store.faults.length = 0;
    await a.commit({ operation: 'WRITE', mode: 'append', add: [] });
    store.faults.push(other);
    return write();
  };
  store.faults.push(other);
  await expect(b.commit({ operation: 'WRITE', mode: 'append', add })).rejects.toMatchObject({
    code: 'COMMIT_CONTENTION',
  });
  expect(store.deleted).toEqual([]);
  expect((await a.snapshot()).version).toBeLessThanOrEqual(60n);
  await store.close();
});

test('a checkpoint that cannot be written does not fail the commit, and is told', async () => {
  const store = lab.store();
  const broken = new Proxy(store, {
    get(target, name) {
      if (name === 'putFile') {
        return (path: string, write: (local: string) => Promise<unknown>) =>
          path.includes('checkpoint') ? Promise.reject(noReply(path)) : target.putFile(path, write);
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const table = lab.table(broken, { checkpointInterval: 2 });
  await lab.written(table, ONE);
  await lab.written(table, ONE);
  expect(await lab.write(table, ONE)).toMatchObject({
    kind: 'committed',
    version: 2n,
    checkpointError: { code: 'STORAGE_FAILED' },
  });
  expect(await lab.rows(lab.table(store))).toHaveLength(3);
});

const WRITER = `
  import { systemClock } from './core/clock.js';
  import { systemRandom } from './core/random.js';
  import { Engine } from './engine/engine.js';
  import { DeltaTable } from './tables/index.js';
  const [folder, id] = process.argv.slice(1);
  const engine = await Engine.open({ memoryLimit: '200MB', threads: 1 });
  const session = await engine.session();
  const table = DeltaTable.at(folder, { engine, clock: systemClock, random: systemRandom });
  const schema = { kind: 'struct', fields: ['writer', 'n'].map((name) => ({ name, type: { kind: 'primitive', name: 'long' }, nullable: true, metadata: {} })) };
  const partitionColumns = [];
  for (let n = 0; n < 12;) {
    const add = await table.stage(session, 'SELECT ' + id + ' AS writer, ' + n + ' AS n', { schema, partitionColumns });
    const app = 'writer-' + id;
    const change = { operation: 'WRITE', mode: 'append', add, schema, partitionColumns, txn: new Map([[app, BigInt(n)]]), expect: new Map([[app, n === 0 ? undefined : BigInt(n - 1)]]) };
    const result = await table.commit(change);
    if (result.kind === 'committed') n++;
    else if (result.reason.kind === 'metadata' || result.reason.kind === 'protocol') await table.discard(add);
    else throw new Error(result.reason.message);
  }
  session.close();
  engine.close();
`;

test('processes that commit to one table on disk lose nothing, and checkpoint it meanwhile', async () => {
  const [folder, library] = await Promise.all([
    mkdtemp(join(tmpdir(), 'sluice-table-')),
    compiled(['core', 'engine', 'tables']),
  ]);
  try {
    const ids = ['0', '1', '2'];
    await Promise.all(ids.map((id) => runModule(library, WRITER, [folder, id])));
    const table = DeltaTable.at(folder, { engine: lab.engine, clock: systemClock, random: systemRandom });
    const rows = await lab.rows(table);
    expect(rows).toEqual(
      ids.flatMap((id) => Array.from({ length: 12 }, (_, n) => ({ writer: BigInt(id), n: BigInt(n) }))),
    );
    const snapshot = await table.snapshot();
    expect(snapshot.version).toBe(35n);
    expect(snapshot.txn).toEqual(new Map(ids.map((id) => [`writer-${id}`, 11n])));
    const commits = await table.changes(0n, 35n);
    expect(commits.every((commit) => commit.adds.length === 1)).toBe(true);
  } finally {
    await Promise.all([folder, library].map((path) => rm(path, { recursive: true, force: true })));
  }
});
