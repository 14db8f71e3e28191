/** Two workers in one consumer group, joining and leaving while records come: shared work, and still nothing lost or twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../../core/random.ts';
import { startKafka, type KafkaService } from '../../services/kafka.ts';
import { PipelineProject, type Run } from './pipeline-project.ts';
import { produceOrders } from './produce-orders.ts';

const TURNS = 6;

let kafka: KafkaService;
let project: PipelineProject;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(async () => {
  await project.remove();
  await kafka.stop();
});

test('two workers share a topic while they come and go', { timeout: 300_000 }, async () => {
  const seed = Number(process.env['SLUICE_SEED'] ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  console.log(`seed ${String(seed)}`);
  const topic = `shared-${String(seed)}`;
  project = await PipelineProject.create({ brokers: kafka.brokers, topics: [topic], groupId: 'shared' });
  let turn = 0;
  const produced = produceOrders({
    brokers: kafka.brokers,
    topic,
    partitions: 4,
    records: 120_000,
    isEnough: () => turn === TURNS,
    recordsPerSecond: 6000,
    malformed: 0.02,
    random,
  });

  const alive: (Run | undefined)[] = [project.start(), undefined];
  for (; turn < TURNS; turn++) {
    await sleep(1500 + random.int(1500));
    const slot = turn % 2 === 0 ? 1 : random.int(2);
    const leaving = alive[slot];
    if (leaving === undefined) alive[slot] = project.start();
    else {
      leaving.signal(random.next() < 0.5 ? 'SIGTERM' : 'SIGKILL');
      await leaving.exited();
      alive[slot] = undefined;
    }
  }
  const sent = await produced;
  for (const run of alive) {
    await run?.started();
    run?.signal('SIGTERM');
    expect([0, undefined], run?.said).toContain(await run?.exited());
  }
  const last = project.start('--available-now');
  expect(await last.exited(), last.said).toBe(0);

  const [bronze] = await project.query(
    `SELECT count(*) AS n, count(DISTINCT ("partition", "offset")) AS distinct_n, sum(order_id)::BIGINT AS ids FROM {bronze.orders}`,
  );
  expect(bronze).toEqual({ n: BigInt(sent.good), distinct_n: BigInt(sent.good), ids: sent.goodIds });
  const [bad] = await project.query('SELECT count(*) AS n FROM {bronze.orders_quarantine}');
  expect(bad).toEqual({ n: BigInt(sent.malformed) });
});
