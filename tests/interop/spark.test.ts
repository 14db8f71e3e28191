import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../core/errors.ts';
import { negativePartition } from './fixtures.ts';
import { interopSuite } from './suite.ts';

interface FeatureTable {
  /** As the error must name it. */
  readonly feature: string;
  readonly properties: string;
  /** What is run on the table after it was made. */
  readonly then?: string;
}

const UNREADABLE: readonly FeatureTable[] = [
  {
    feature: 'variantType',
    properties: `'delta.checkpointInterval' = '5'`,
    then: 'ALTER TABLE delta.`PATH` ADD COLUMN (v VARIANT)',
  },
];

const UNWRITABLE: readonly FeatureTable[] = [
  {
    feature: 'icebergCompatV2',
    properties: `'delta.enableIcebergCompatV2' = 'true', 'delta.columnMapping.mode' = 'name'`,
  },
];

interopSuite('spark', (stage) => {
  const make = async (name: string, { properties, then }: FeatureTable): Promise<void> => {
    const { bench, peer } = stage();
    const path = bench.path(name);
    await peer.sql(`CREATE TABLE delta.\`${path}\` (id BIGINT, name STRING) USING delta TBLPROPERTIES (${properties})`);
    await peer.sql(`INSERT INTO delta.\`${path}\` SELECT id, concat('n', id) FROM range(100)`);
    if (then !== undefined) await peer.sql(then.replace('PATH', path));
  };
  const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no error',
      (error: unknown) => error,
    );

  describe('a table that needs a feature that sluice lacks is refused by its name', () => {
    test.each(UNREADABLE)('reading: $feature', async (table) => {
      const { bench } = stage();
      await make(`read_${table.feature}`, table);
      const error = await errorOf(bench.table(`read_${table.feature}`).snapshot());
      expect(error).toBeInstanceOf(SluiceError);
      expect(error).toMatchObject({
        code: 'UNSUPPORTED_FEATURE',
        message: expect.stringContaining(table.feature) as string,
      });
    });

    test.each(UNWRITABLE)('writing, though reading is fine: $feature', async (table) => {
      const { bench, peer } = stage();
      const name = `write_${table.feature}`;
      await make(name, table);
      const before = await bench.digest(name);
      expect(before.count).toBe(100);
      const { schema } = await bench.table(name).snapshot();
      const error = await errorOf(bench.write(bench.table(name), `SELECT 1 AS id, 'x' AS name`, { schema }));
      expect(error).toBeInstanceOf(SluiceError);
      expect(error).toMatchObject({
        code: 'UNSUPPORTED_FEATURE',
        message: expect.stringContaining(table.feature) as string,
      });
      expect(await peer.read(bench.path(name))).toEqual(before);
    });
  });

  test('a table with deletion vectors is appended to and overwritten, and its checkpoints keep them', async () => {
    const { bench, peer } = stage();
    const path = bench.path('deleted');
    await make('deleted', {
      feature: 'deletionVectors',
      properties: `'delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '4'`,
      then: 'DELETE FROM delta.`PATH` WHERE id % 3 = 0',
    });
    const { schema } = await bench.table('deleted').snapshot();
    for (const id of [1000, 1001, 1002]) {
      await bench.write(bench.table('deleted'), `SELECT ${String(id)} AS id, 'ours' AS name`, { schema });
    }
    const files = await readdir(join(path, '_delta_log'));
    expect(files).toContain('00000000000000000004.checkpoint.parquet');
    for (const file of files.filter((one) => /^0+[0-4]\.json$/.test(one))) await rm(join(path, '_delta_log', file));
    const ours = await bench.digest('deleted');
    expect(ours.count).toBe(66 + 3);
    expect(await peer.read(path)).toEqual(ours);
    await bench.write(bench.table('deleted'), `SELECT 1 AS id, 'only' AS name`, { schema }, { mode: 'overwrite' });
    const after = await bench.digest('deleted');
    expect(after.count).toBe(1);
    expect(await peer.read(path)).toEqual(after);
  });

  test('a shallow clone reads the files of the table that it was made from', async () => {
    const { bench, peer } = stage();
    const [from, to] = [bench.path('types'), bench.path('clone of types')];
    await peer.sql(`CREATE TABLE delta.\`${to}\` SHALLOW CLONE delta.\`${from}\``);
    await peer.sql(`INSERT INTO delta.\`${to}\` SELECT * FROM delta.\`${from}\` WHERE flag`);
    const ours = await bench.digest('clone of types');
    expect(ours.count).toBe(5);
    expect(await peer.read(to)).toEqual(ours);
  });

  test('negative decimals as partition values', async () => {
    const { bench, peer } = stage();
    await negativePartition(bench, bench.table('negative'));
    expect(await peer.read(bench.path('negative'))).toEqual(await bench.digest('negative'));
  });

  test('a table that Spark compacted reads the same, and says that no row changed', async () => {
    const { bench, peer } = stage();
    const before = await bench.digest('spread_types');
    await peer.sql(`OPTIMIZE delta.\`${bench.path('spread_types')}\``);
    const after = await bench.digest('spread_types');
    expect(after.version).toBeGreaterThan(before.version);
    expect({ ...after, version: 0 }).toEqual({ ...before, version: 0 });
    const summaries = await bench.table('spread_types').changes(BigInt(before.version) + 1n, BigInt(after.version));
    const files = summaries.flatMap(({ adds, removes }) => [...adds, ...removes]);
    expect(files.length).toBeGreaterThan(1);
    expect(files.every(({ dataChange }) => !dataChange)).toBe(true);
  });
});
