/** One table on S3 for sluice and delta-rs: each reads what the other wrote, and both may append at once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { systemRandom } from '../../core/random.ts';
import { Engine } from '../../engine/engine.ts';
import type { Session } from '../../engine/session.ts';
import { DeltaTable, Storage } from '../../tables/index.ts';
import { startS3, type S3Server } from '../services/s3.ts';
import { digest, type Digest } from './digest.ts';
import { Peer } from './peer.ts';

let s3: S3Server;
let folder: string;
let engine: Engine;
let session: Session;
let storage: Storage;
let peer: Peer;

beforeAll(async () => {
  s3 = await startS3();
  await s3.createBucket('interop');
  // delta-rs reads them as the AWS tools do, and needs to be told that plain HTTP is meant.
  Object.assign(process.env, s3.env, {
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ALLOW_HTTP: 'true',
  });
  folder = await mkdtemp(join(tmpdir(), 'sluice-interop-s3-'));
  engine = await Engine.open({ memoryLimit: '400MB', threads: 2 });
  session = await engine.session();
  storage = new Storage({ s3: { endpoint: s3.endpoint }, cache: { folder: join(folder, 'cache') } });
  peer = await Peer.start('deltars');
});
afterAll(async () => {
  await peer.stop();
  session.close();
  engine.close();
  await storage.close();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

const open = (location: string): DeltaTable =>
  DeltaTable.at(location, { engine, clock: systemClock, random: systemRandom, storage, checkpointInterval: 5 });

const seen = async (table: DeltaTable): Promise<Digest> =>
  digest(session, `SELECT * FROM ${await (await table.snapshot()).relation()}`);

test('delta-rs reads what sluice wrote and changed on S3, and sluice what delta-rs did', async () => {
  const location = 's3://interop/lake/orders';
  const table = open(location);
  await table.append(session, {
    source: "SELECT range AS id, 'c' || range % 7 AS customer, range / 4 AS amount, DATE '2026-03-01' + (range % 3)::INTEGER AS day FROM range(300)",
    partitionColumns: ['day'],
  }); // prettier-ignore
  for (let i = 0; i < 6; i++) await peer.append(location, [{ id: 1000 + i, customer: 'rs', amount: 1.5 }]);
  await table.delete(session, { where: 'id % 10 = 0' });
  const { version, ...theirs } = await peer.read(location);
  const snapshot = await table.snapshot();
  expect(BigInt(version)).toBe(snapshot.version);
  expect(theirs).toEqual(await seen(table));
  expect(theirs.count).toBe(300 - 30 + 5);
});

test('a table that delta-rs made on S3, with partitions, nested columns and a checkpoint', async () => {
  const location = 's3://interop/theirs';
  const { version, ...theirs } = await peer.writePartitioned(location, 4, 50);
  const snapshot = await open(location).snapshot();
  expect(BigInt(version)).toBe(snapshot.version);
  expect(await seen(open(location))).toEqual(theirs);
});

test('sluice and delta-rs append to one table on S3 at once: nothing is lost, and nothing comes twice', async () => {
  const location = 's3://interop/both';
  const table = open(location);
  await table.append(session, { source: "SELECT 0::BIGINT AS id, 'sluice' AS who" });
  const mine = async (): Promise<void> => {
    for (let i = 1; i <= 25; i++) await table.append(session, { source: `SELECT ${String(i)}::BIGINT AS id, 'sluice' AS who` });
  };
  const theirs = async (): Promise<void> => {
    for (let i = 1; i <= 25; i++) await peer.append(location, [{ id: i, who: 'delta-rs' }]);
  };
  await Promise.all([mine(), theirs()]);
  const snapshot = await open(location).snapshot();
  expect(snapshot.version).toBe(50n);
  const rows = await session.rows(
    `SELECT who, count(*) AS n, count(DISTINCT id) AS ids FROM ${await snapshot.relation()} GROUP BY who ORDER BY who`,
  );
  expect(rows).toEqual([
    { who: 'delta-rs', n: 25n, ids: 25n },
    { who: 'sluice', n: 26n, ids: 26n },
  ]);
  expect((await peer.read(location)).count).toBe(51);
}); // prettier-ignore
