/** Tables that are odd in one way each, written by Spark: every version is read as Spark itself reads it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workbench } from './fixtures.ts';
import { ODD_TABLES } from './odd-tables.ts';
import { Peer } from './peer.ts';

let folder: string;
let bench: Workbench;
let peer: Peer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-odd-'));
  bench = await Workbench.open(join(folder, 'tables'));
  peer = await Peer.start('spark');
  for (const setting of ['spark.databricks.delta.snapshotPartitions = 1', 'spark.sql.shuffle.partitions = 1'])
    await peer.sql(`SET ${setting}`);
});
afterAll(async () => {
  await peer.stop();
  bench.close();
  await rm(folder, { recursive: true, force: true });
});

test.each(ODD_TABLES)('$name', async (table) => {
  const name = table.name.replaceAll(/[:,]/g, '');
  const path = bench.path(name);
  for (const statement of table.sql) {
    const filled = statement.replaceAll('{T}', `delta.\`${path}\``).replaceAll('{PATH}', path);
    await peer.sql(filled.replaceAll('{N}', String(ODD_TABLES.indexOf(table))));
  }
  const newest = await peer.read(path);
  for (let version = 0; version <= newest.version; version++) {
    const theirs = await peer.read(path, version);
    expect(await bench.digest(name, BigInt(version)), `version ${String(version)}`).toEqual(theirs);
  }
});
