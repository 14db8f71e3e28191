/** Whether a table has every record of its topic exactly once: a fast side that loses rows has won nothing. */
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import { Engine } from '../engine/engine.ts';
import { DeltaTable } from '../tables/index.ts';

/** @throws SluiceError `INTERNAL` when rows are missing, doubled or empty. */
export async function verifyTable(location: string, records: number): Promise<void> {
  const engine = await Engine.open();
  try {
    const session = await engine.session();
    const snapshot = await DeltaTable.at(location, { engine, clock: systemClock, random: systemRandom }).snapshot();
    const [counts] = await session.rows(
      'SELECT count(*) AS "rows", count(DISTINCT (kafka_partition, kafka_offset)) AS records, ' +
        `count(DISTINCT order_id) AS orders, count(amount) AS amounts, count(ts) AS times FROM ${await snapshot.relation()}`,
    );
    const wrong = Object.entries((counts ?? {}) as Record<string, bigint>).filter(
      ([, count]) => count !== BigInt(records),
    );
    if (counts === undefined || wrong.length > 0) {
      const found = wrong.map(([what, count]) => `${what}: ${String(count)}`).join(', ');
      throw new SluiceError(
        'INTERNAL',
        `${location} should have ${String(records)} records once each, but has ${found}`,
      );
    }
    session.close();
  } finally {
    engine.close();
  }
}
