/**
 * What any other engine must agree on, as one text for all of them: it reads every table of ours, and we read every table of
 * its own; both write to one table at the same time; and what it appends is picked up by a streaming table.
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { field, primitive, struct } from '../../core/schema.ts';
import { makeTables, Workbench } from './fixtures.ts';
import { Peer, type PeerName } from './peer.ts';
import { Shop } from './shop.ts';

export interface Stage {
  readonly bench: Workbench;
  readonly peer: Peer;
}

const TABLES = ['types', 'spread_types', 'partitions', 'naive', 'names', 'grown', 'checkpointed', 'empty'] as const;

/** Starts the peer once, and declares the tests; `more` declares those that only this peer can run. */
export function interopSuite(name: PeerName, more: (stage: () => Stage) => void = () => undefined): void {
  let folder: string;
  let bench: Workbench;
  let peer: Peer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), `sluice-${name}-`));
    bench = await Workbench.open(join(folder, 'tables'));
    peer = await Peer.start(name);
    const made = await makeTables(bench);
    expect(made).toEqual(TABLES);
  });
  afterAll(async () => {
    await peer.stop();
    bench.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe(`${name} reads what sluice writes`, () => {
    test.each(TABLES)('%s: the same version, columns, types and values', async (table) => {
      expect(await peer.read(bench.path(table))).toEqual(await bench.digest(table));
    });

    test('an older version', async () => {
      const old = await bench.table('checkpointed').snapshot(6n);
      expect(old.rows).toBe(70n);
      expect(await peer.read(bench.path('checkpointed'), 6)).toMatchObject({ version: 6, count: 70 });
    });

    test('a checkpoint without the log entries before it', async () => {
      await cp(bench.path('checkpointed'), bench.path('cleaned'), { recursive: true });
      const log = join(bench.path('cleaned'), '_delta_log');
      const files = await readdir(log);
      const last =
        files
          .filter((file) => file.endsWith('.checkpoint.parquet'))
          .sort()
          .at(-1) ?? '';
      const before = files.filter((file) => file.endsWith('.json') && file < last);
      expect(before.length).toBeGreaterThanOrEqual(20);
      for (const file of before) await rm(join(log, file));
      const ours = await bench.digest('checkpointed');
      expect(await bench.digest('cleaned')).toEqual(ours);
      expect(await peer.read(bench.path('cleaned'))).toEqual(ours);
    });
  });

  describe(`sluice reads what ${name} writes`, () => {
    test('partitioned, nested, with deleted rows and a checkpoint', async () => {
      const theirs = await peer.writePartitioned(bench.path('theirs'), 12, 40);
      expect(theirs.count).toBe(12 * 36);
      expect(await bench.digest('theirs')).toEqual(theirs);
    });

    test('and appends to it, in its own types', async () => {
      const before = await bench.digest('theirs');
      const { schema, partitionColumns } = await bench.table('theirs').snapshot();
      await bench.write(
        bench.table('theirs'),
        `SELECT ${schema.fields.map(({ name: column }) => (column === 'id' ? '-1 AS id' : `NULL AS "${column}"`)).join(', ')}`,
        { schema, partitionColumns },
      );
      const after = await peer.read(bench.path('theirs'));
      expect(after.count).toBe(before.count + 1);
      expect(after).toEqual(await bench.digest('theirs'));
    });
  });

  test(`${name} reads what sluice has deleted, updated, compacted and restored`, async () => {
    for (const source of ['spread_types', 'partitions']) {
      const copy = `${source} changed`;
      await cp(bench.path(source), bench.path(copy), { recursive: true });
      const table = bench.table(copy);
      const { version, schema, partitionColumns } = await table.snapshot();
      const same = async (): Promise<void> => {
        expect(await peer.read(bench.path(copy))).toEqual(await bench.digest(copy));
      };
      const [first, second] = schema.fields.map((column) => column.name);
      const before = (await table.snapshot()).rows ?? 0n;
      const { filesRemoved } = await table.optimize(bench.session);
      if (source === 'spread_types') expect(filesRemoved).toBeGreaterThan(1);
      await same();
      const columns = schema.fields.filter(({ type, name }) => (type.kind === 'decimal' || type.kind === 'primitive') && !partitionColumns.includes(name) && name !== 'bytes'); // prettier-ignore
      await table.optimize(bench.session, { zOrderBy: columns.slice(0, 3).map(({ name }) => name) });
      await same();
      const { rows: deleted } = await table.delete(bench.session, { where: `"${String(first)}" IS NULL` });
      await same();
      const text = schema.fields.find(({ type }) => type.kind === 'primitive' && type.name === 'string')?.name ?? '';
      const updated = await table.update(bench.session, {
        set: { [text]: `'new: é'` },
        where: `"${String(second)}" IS NOT NULL`,
      });
      expect(updated.rows).toBeGreaterThan(0n);
      await same();
      expect((await table.snapshot()).rows).toBe(before - deleted);
      await table.restore(version);
      await same();
      expect((await table.snapshot()).rows).toBe(before);
    }
  });

  test(`${name} reads what sluice has merged`, async () => {
    const schema = struct([
      field('id', primitive('long')),
      field('part', primitive('string')),
      field('v', primitive('double')),
    ]);
    const table = bench.table('merged');
    await bench.write(table, `SELECT range AS id, 'p' || range % 3 AS part, range AS v FROM range(60)`, { schema, partitionColumns: ['part'] }); // prettier-ignore
    const result = await table.merge(bench.session, {
      source: `SELECT range AS id, 'p' || range % 4 AS part, -range AS v FROM range(40, 100)`,
      on: 'target.id = source.id',
      whenMatched: [{ condition: 'target.id % 5 = 0', delete: true }, { set: '*' }],
      whenNotMatched: [{ condition: 'source.id <> 99', values: '*' }],
      whenNotMatchedBySource: [{ condition: 'target.id < 3', set: { v: 'NULL' } }],
    });
    expect(result).toMatchObject({ inserted: 39n, updated: 16n + 3n, deleted: 4n });
    const ours = await bench.digest('merged');
    expect(ours.count).toBe(60 + 39 - 4);
    expect(await peer.read(bench.path('merged'))).toEqual(ours);
  });

  test(`${name} and sluice append to one table at the same time, and no row is lost`, async () => {
    const schema = struct([field('id', primitive('long')), field('who', primitive('string'))]);
    const seed = bench.table('shared', 5);
    await bench.write(seed, `SELECT 0 AS id, 'first' AS who`, { schema });
    const ours = async (): Promise<void> => {
      const table = bench.table('shared', 5);
      for (let i = 0; i < 30; i++) await bench.write(table, `SELECT ${String(i)} AS id, 'sluice' AS who`, { schema });
    };
    const theirs = async (): Promise<void> => {
      for (let i = 0; i < 6; i++) await peer.append(bench.path('shared'), [{ id: i, who: name }]);
    };
    await Promise.all([ours(), theirs()]);
    const all = await bench.digest('shared');
    expect(all).toMatchObject({ version: 36, count: 37 });
    expect(await peer.read(bench.path('shared'))).toEqual(all);
  });

  describe('the shop of sluice init', () => {
    let shop: Shop;
    let lake: Workbench;
    beforeAll(async () => {
      shop = await Shop.create(join(folder, 'shop'));
      await shop.run();
      lake = await Workbench.open(join(shop.folder, 'lake'));
    });
    afterAll(() => {
      lake.close();
    });

    test(`${name} reads every table: the same rows, sums and types`, async () => {
      const tables = await shop.tables();
      expect(tables).toContain('gold/revenue_by_day');
      expect(tables.length).toBeGreaterThanOrEqual(13);
      for (const table of tables) {
        expect({ table, ...(await peer.read(lake.path(table))) }).toEqual({ table, ...(await lake.digest(table)) });
      }
    });

    test(`rows that ${name} appends are picked up by the next run, once`, async () => {
      await peer.append(lake.path('bronze/shared'), [
        { id: 1001, who: name },
        { id: 1002, who: name },
      ]);
      for (let run = 0; run < 2; run++) await shop.run();
      const [row] = await lake.session.rows(
        `SELECT count(*) AS n, count(*) FILTER (who = '${name}') AS theirs, sum(twice - 2 * id)::BIGINT AS wrong
         FROM ${await (await lake.table('silver/shared').snapshot()).relation()}`,
      );
      expect(row).toEqual({ n: 12n, theirs: 2n, wrong: 0n });
      expect(await peer.read(lake.path('silver/shared'))).toEqual(await lake.digest('silver/shared'));
    });
  });

  more(() => ({ bench, peer }));
}
