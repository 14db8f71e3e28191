/**
 * Nothing lost, nothing twice, on the real road: a broker, a topic of a million records, and workers that are killed with -9
 * at random moments while the broker itself is restarted under them.
 *
 * The seed is printed; `SLUICE_SEED=n` runs the same moments again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../../core/random.ts';
import { startKafka, type KafkaService } from '../../services/kafka.ts';
import { PipelineProject } from './pipeline-project.ts';
import { produceOrders } from './produce-orders.ts';

const RECORDS = 1_000_000;
const KILLS = 22;
/** Moments of restarting the broker, by the number of the kill before it. */
const RESTARTS: ReadonlySet<number> = new Set([7, 15]);

let kafka: KafkaService;
let project: PipelineProject;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(async () => {
  await project.remove();
  await kafka.stop();
});

test(
  'every record is in the table or in quarantine, once, after kills and broker restarts',
  { timeout: 900_000 },
  async () => {
    const seed = Number(process.env['SLUICE_SEED'] ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    console.log(`seed ${String(seed)}`);
    const topic = `orders-${String(seed)}`;
    let kills = 0;
    project = await PipelineProject.create({ brokers: kafka.brokers, topics: [topic] });
    const produced = produceOrders({
      brokers: kafka.brokers,
      topic,
      partitions: 4,
      records: RECORDS,
      isEnough: () => kills === KILLS,
      recordsPerSecond: 12_000,
      malformed: 0.01,
      random,
    });

    const recoveriesMs: number[] = [];
    for (; kills < KILLS; kills++) {
      const run = project.start();
      const startedMs = Date.now();
      const before = await newestVersion();
      while ((await newestVersion()) === before) {
        expect(run.ended, `the run ended by itself: ${run.said}`).toBe(false);
        await sleep(25);
      }
      recoveriesMs.push(Date.now() - startedMs);
      await sleep(random.int(2500));
      if (RESTARTS.has(kills)) await kafka.restart();
      await sleep(random.int(500));
      run.signal('SIGKILL');
      await run.exited();
    }
    const sent = await produced;
    console.log(`from each start to its first commit: ${recoveriesMs.map((ms) => `${String(ms)} ms`).join(', ')}`);

    const last = project.start('--available-now');
    expect(await last.exited(), last.said).toBe(0);

    const [bronze] = await project.query(
      `SELECT count(*) AS n, count(DISTINCT ("partition", "offset")) AS distinct_n, sum(order_id)::BIGINT AS ids FROM {bronze.orders}`,
    );
    expect(bronze).toEqual({ n: BigInt(sent.good), distinct_n: BigInt(sent.good), ids: sent.goodIds });
    const [bad] = await project.query(
      `SELECT count(*) AS n, count(DISTINCT ("partition", "offset")) AS distinct_n FROM {bronze.orders_quarantine}`,
    );
    expect(bad).toEqual({ n: BigInt(sent.malformed), distinct_n: BigInt(sent.malformed) });
    const [silver] = await project.query('SELECT count(*) AS n FROM {silver.orders}');
    const [gold] = await project.query('SELECT n FROM {gold.totals}');
    expect([silver, gold]).toEqual([{ n: BigInt(sent.good) }, { n: BigInt(sent.good) }]);
  },
);

/** The newest entry in the log of the bronze table, by its file. */
async function newestVersion(): Promise<string | undefined> {
  const names = await readdir(join(project.folder, 'lake', 'bronze', 'orders', '_delta_log')).catch(() => []);
  return names
    .filter((name) => /^\d{20}\.json$/.test(name))
    .sort()
    .at(-1);
}
