/**
 * Tables that Spark writes with the features of the protocol: every version of each is read as Spark itself reads it, also
 * from the checkpoints alone, and from another folder.
 */
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FEATURE_TABLES, type FeatureTable } from './feature-tables.ts';
import { Workbench } from './fixtures.ts';
import { Peer } from './peer.ts';

let folder: string;
let bench: Workbench;
let peer: Peer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-features-'));
  bench = await Workbench.open(join(folder, 'tables'));
  peer = await Peer.start('spark');
});
afterAll(async () => {
  await peer.stop();
  bench.close();
  await rm(folder, { recursive: true, force: true });
});

const nameOf = (table: FeatureTable): string => `table ${String(FEATURE_TABLES.indexOf(table))}`;

async function make(table: FeatureTable): Promise<void> {
  const path = bench.path(nameOf(table));
  for (const statement of table.sql) {
    await peer.sql(statement.replaceAll('PATH', path).replaceAll(/\bT\b/g, `delta.\`${path}\``));
  }
}

/** The names of all files of a table, and what its log says. */
async function whatIsThere(path: string): Promise<string> {
  const files = await readdir(path, { recursive: true });
  const entries = files.filter((file) => /^_delta_log\/\d+\.json$/.test(file));
  const texts = await Promise.all(entries.map((file) => readFile(join(path, file), 'utf8')));
  return [...files.sort(), ...texts].join('\n');
}

test.each(FEATURE_TABLES)('$name', async (table) => {
  const name = nameOf(table);
  await make(table);
  expect(await whatIsThere(bench.path(name))).toMatch(table.shows);
  const newest = await bench.digest(name);
  expect(newest.version).toBeGreaterThan(1);
  for (let version = 0; version <= newest.version; version++) {
    const theirs = await peer.read(bench.path(name), version);
    expect(await bench.digest(name, BigInt(version)), `version ${String(version)}`).toEqual(theirs);
  }
  const { rows } = await bench.table(name).snapshot();
  expect(rows).toBe(BigInt(newest.count));
  expect((await bench.table(name).check(bench.session)).problems).toEqual([]);

  if (table.hasChanges === true) await compareChanges(name, newest.version);

  const moved = `${name} moved`;
  await cp(bench.path(name), bench.path(moved), { recursive: true });
  await removeBeforeCheckpoint(bench.path(moved));
  expect(await bench.digest(moved)).toEqual(newest);
});

async function compareChanges(name: string, newest: number): Promise<void> {
  const ranges = [[0, newest], [2, newest - 1], ...Array.from({ length: newest + 1 }, (_, version) => [version, version])] as const; // prettier-ignore
  for (const [from, upTo] of ranges) {
    const theirs = await peer.changes(bench.path(name), from, upTo);
    expect(
      await bench.changes(name, BigInt(from), BigInt(upTo)),
      `versions ${String(from)} to ${String(upTo)}`,
    ).toEqual(theirs);
  }
}

async function removeBeforeCheckpoint(path: string): Promise<void> {
  const log = join(path, '_delta_log');
  const files = (await readdir(log)).sort();
  const last =
    files
      .filter((file) => file.includes('.checkpoint.'))
      .at(-1)
      ?.slice(0, 20) ?? '';
  for (const file of files.filter((one) => /^\d+\.json$/.test(one) && one.slice(0, 20) <= last))
    await rm(join(log, file));
}
