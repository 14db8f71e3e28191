/** Disks that are full, folders that may not be written, logs that are damaged: one error, and nothing lost or half-made. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Scratch, sluice } from './sluice.ts';
import { onDiskOf } from './small-disk.ts';
import { ADVICE, BRONZE, expectError, rowsIn, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const AS_ROOT = process.getuid?.() === 0;
/** Somebody who owns nothing, where the tests run as root: nobody keeps root from writing. */
const NOBODY = AS_ROOT ? { uid: 65534 } : {};
const FEATURES = `name: amounts
labels: { table: bronze.orders, entity: order_id, time: ts, columns: quantity }
features: [{ name: amounts, table: bronze.orders, event_time: ts, columns: [amount] }]
`;

/** Lets everybody in, but nobody write. */
async function readOnly(folder: string): Promise<void> {
  for (let above = folder; above !== '/tmp' && above !== '/'; above = join(above, '..')) await chmod(above, 0o755);
  await chmod(folder, 0o555);
  if (AS_ROOT) await chown(folder, 0, 0);
}

test('a log entry that was cut short: the file, and nothing is changed', async () => {
  const root = await writeProject(await scratch.folder(), { 'a.sql': BRONZE });
  expect(await run(root)).toMatchObject({ code: 0 });
  const log = join(root, 'lake', 'bronze', 'orders', '_delta_log');
  const entries = (await readdir(log)).filter((name) => name.endsWith('.json')).sort();
  const newest = entries.at(-1) ?? '';
  const whole = await readFile(join(log, newest));
  await truncate(join(log, newest), Math.floor(whole.length / 2));
  const before = await readdir(log);
  expectError(await run(root), 6, 'LOG_CORRUPT', newest, ADVICE);
  const asked = await sluice(['sql', 'SELECT count(*) FROM bronze.orders'], { cwd: root });
  expectError(asked, 6, 'LOG_CORRUPT', newest, ADVICE);
  expect(asked.stdout).toBe('');
  const listed = await sluice(['tables'], { cwd: root });
  expectError(listed, 6, 'LOG_CORRUPT', newest);
  expect(listed.stdout).toContain('bronze.orders_quarantine');
  expect(await readdir(log)).toEqual(before);
  await writeFile(join(log, newest), whole);
  expect(await run(root)).toMatchObject({ code: 0 });
  expect(await rowsIn(root)).toBe(2000);
});

test('a lake that may not be written', async () => {
  const root = await writeProject(await scratch.folder(), { 'a.sql': BRONZE });
  await mkdir(join(root, 'lake'));
  await readOnly(join(root, 'lake'));
  expectError(await run(root, NOBODY), 5, 'STORAGE_READ_ONLY', /lake/, ADVICE);
  expect(await readdir(join(root, 'lake'))).toEqual([]);
});

test('a lake that may only be read can be queried, and a table that may only be read keeps what it has', async () => {
  const root = await writeProject(await scratch.folder(), { 'a.sql': BRONZE });
  expect(await run(root)).toMatchObject({ code: 0 });
  await writeProject(root, { 'a.sql': BRONZE.replace('rows => 2000', 'rows => 3000') });
  const table = join(root, 'lake', 'bronze', 'orders');
  await readOnly(join(table, '_delta_log'));
  await readOnly(table);
  const sql = ['sql', '--format', 'csv', 'SELECT count(*) AS n FROM bronze.orders'];
  expect(await sluice(sql, { cwd: root, ...NOBODY })).toMatchObject({ code: 0, stdout: 'n\r\n2000\r\n' });
  expectError(await run(root, NOBODY), 5, 'STORAGE_READ_ONLY', /bronze\/orders/, ADVICE);
  await chmod(table, 0o755);
  await chmod(join(table, '_delta_log'), 0o755);
  expect(await run(root)).toMatchObject({ code: 0 });
  expect(await rowsIn(root)).toBe(3000);
});

test('init and export where nothing may be written: nothing is left', async () => {
  const root = await writeProject(await scratch.folder(), { 'a.sql': BRONZE, 'features/amounts.yaml': FEATURES });
  expect(await run(root)).toMatchObject({ code: 0 });
  const closed = join(root, 'closed');
  await mkdir(closed);
  await readOnly(closed);
  for (const args of [
    ['init', 'closed'],
    ['init', 'closed/new'],
    ['features', 'export', 'amounts', '-o', 'closed'],
    ['features', 'export', 'amounts', '-o', 'closed/new'],
  ]) {
    expectError(await sluice(args, { cwd: root, ...NOBODY }), 5, 'STORAGE_READ_ONLY', /closed/, ADVICE);
  }
  expect(await readdir(closed)).toEqual([]);
});

test('a full disk: nothing half-made, and the run goes on when there is room', async () => {
  await onDiskOf('2m', async (root) => {
    await writeProject(root, { 'a.sql': BRONZE.replace('rows => 2000', 'rows => 400000') });
    await writeFile(join(root, 'ballast'), Buffer.alloc(2 ** 20));
    expectError(await run(root), 5, 'STORAGE_FULL', /lake/, ADVICE);
    await rm(join(root, 'ballast'));
    const before = await rowsIn(root);
    expect(before).toBeLessThan(400_000);
    execFileSync('mount', ['-o', 'remount,size=100m', root]);
    expect(await run(root)).toMatchObject({ code: 0 });
    expect(await rowsIn(root)).toBe(400_000);
  });
});

test('init and export on a full disk: nothing is left', async () => {
  const root = await writeProject(await scratch.folder(), { 'a.sql': BRONZE, 'features/amounts.yaml': FEATURES });
  expect(await run(root)).toMatchObject({ code: 0 });
  await onDiskOf('12k', async (disk) => {
    expectError(await sluice(['init', join(disk, 'shop')]), 5, 'STORAGE_FULL', ADVICE);
    const out = ['features', 'export', 'amounts', '-o', disk];
    expectError(await sluice(out, { cwd: root }), 5, 'STORAGE_FULL', ADVICE);
    expect(await readdir(disk)).toEqual([]);
  });
});
