/** Two workers on one lake on S3, killed at random: every row once, and the log whole. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom, systemRandom } from '../../../core/random.ts';
import { START_MS, startS3, type S3Server } from '../../services/s3.ts';
import { Scratch, sluice, startSluice } from '../cli/sluice.ts';
import { writeProject } from '../cli/small-project.ts';

const ROWS = 12_000;
const ROUNDS = 8;
const scratch = new Scratch();
let s3: S3Server;

beforeAll(async () => {
  s3 = await startS3();
  await s3.createBucket('chaos');
}, START_MS);
afterAll(async () => {
  await s3.stop();
  await scratch.remove();
});

test('two workers on a lake on S3 that are killed at random lose nothing and write nothing twice', async () => {
  const seed = systemRandom.int(2 ** 31);
  const random = seededRandom(seed);
  const cache = await scratch.folder();
  const project = await writeProject(await scratch.folder(), {
    'bronze.sql': `CREATE STREAMING TABLE bronze.orders
      AS SELECT * FROM STREAM generate(dataset => 'orders', rows => ${String(ROWS)}, seed => 7);`,
    'silver.sql': 'CREATE STREAMING TABLE silver.orders AS SELECT * FROM STREAM(bronze.orders);',
    'gold.sql': 'CREATE MATERIALIZED VIEW gold.total AS SELECT count(*) AS n FROM silver.orders;',
    './sluice.yaml': `lake: s3://chaos/lake
storage: { cache: { path: '${cache}', size: 200KB } }
ingest: { max_batch_rows: 400 }
`,
  });
  const options = { cwd: project, env: s3.env };
  const worker = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      const running = startSluice(['run', '--available-now'], options);
      await Promise.race([running.ended, sleep(700 + random.int(1200))]);
      running.child.kill('SIGKILL');
      await running.ended;
    }
  };
  await Promise.all([worker(), worker()]);
  const last = await sluice(['run', '--available-now'], options);
  expect(last.code, `seed ${String(seed)}: ${last.stderr}`).toBe(0);
  const asked = await sluice(
    ['sql', '--format', 'jsonl', 'SELECT (SELECT count(*) FROM bronze.orders) AS bronze, count(*) AS silver, count(DISTINCT order_id) AS ids, (SELECT n FROM gold.total) AS gold FROM silver.orders'],
    options,
  ); // prettier-ignore
  expect(asked.stderr).toBe('');
  expect(JSON.parse(asked.stdout), `seed ${String(seed)}`).toEqual({
    bronze: ROWS,
    silver: ROWS,
    ids: ROWS,
    gold: ROWS,
  });
  for (const table of ['bronze.orders', 'silver.orders', 'gold.total']) {
    const checked = await sluice(['table', 'check', table, '--format', 'json'], options);
    expect(JSON.parse(checked.stdout), `seed ${String(seed)}: ${table}`).toMatchObject({ problems: [] });
  }
  const parts = await readdir(join(cache, 'in-use'));
  expect(parts.length, 'what killed workers left is cleared away').toBeLessThan(2 * ROUNDS);
});
