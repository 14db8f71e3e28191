/** The generated stream: the same options, the same bytes, whatever part is read and however it is cut. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../../../core/clock.ts';
import { SluiceError } from '../../../../core/errors.ts';
import { Engine } from '../../../../engine/engine.ts';
import { textOf, type Row } from '../../../../engine/values.ts';
import { GenerateSource, parseGenerateOptions } from '../../../../ingest/generate/index.ts';
import type { BatchLimits, Positions } from '../../../../ingest/source.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '300MB', threads: 2 });
});
afterAll(() => {
  engine.close();
});

type Arguments = Readonly<Record<string, string | number>>;
const ALL: BatchLimits = { rows: 100_000, bytes: 2 ** 26, flushMs: 100 };

function options(args: Arguments): ReturnType<typeof parseGenerateOptions> {
  return parseGenerateOptions(new Map(Object.entries({ dataset: 'orders', ...args })));
}

/** Everything that a source has, from some positions on. */
async function records(args: Arguments, limits = ALL, start: Positions = new Map()): Promise<Row[]> {
  const source = new GenerateSource({ options: options(args), engine, clock: new ManualClock(Date.UTC(2026, 5, 1)) });
  const session = await engine.session();
  const rows: Row[] = [];
  let at = start;
  try {
    for (;;) {
      const batch = await source.read(at, limits, new AbortController().signal);
      if (batch === undefined) break;
      expect(batch.rows).toBeLessThanOrEqual(limits.rows);
      rows.push(...(await session.rows(`SELECT * FROM ${batch.relation}`)));
      at = new Map([...at, ...batch.upTo]);
      await batch.release();
    }
    expect(await source.exhausted(at)).toBe(true);
  } finally {
    await source.close();
    session.close();
  }
  return rows.sort(
    (a, b) => Number(a['partition']) - Number(b['partition']) || Number(a['offset']) - Number(b['offset']),
  );
}

function values(rows: readonly Row[]): string[] {
  return rows.map((row) => Buffer.from(row['value'] as Uint8Array).toString('latin1'));
}

test('the same seed gives the same bytes, however the stream is cut; another seed gives others', async () => {
  const args = { rows: 3000, lateRatio: 0.1, duplicateRatio: 0.1, malformedRatio: 0.1 };
  const whole = await records(args);
  expect(whole).toHaveLength(3000);
  expect(await records(args, { ...ALL, rows: 177 })).toEqual(whole);
  expect(values(await records({ ...args, seed: 7 }))).not.toEqual(values(whole));
});

test('any part can be made again', async () => {
  const whole = await records({ rows: 1000, partitions: 3 });
  const part = await records({ rows: 1000, partitions: 3 }, ALL, new Map([['orders/0', 100n], ['orders/2', 300n]])); // prettier-ignore
  const left = whole.filter(({ partition, offset }) => Number(offset) >= ([100, 0, 300][Number(partition)] ?? 0));
  expect(part).toEqual(left);
  expect(part).toHaveLength(1000 - 100 - 300);
});

test('late, duplicate and malformed records are there in the asked share', async () => {
  const rows = await records({ rows: 20_000, lateRatio: 0.1, duplicateRatio: 0.05, malformedRatio: 0.02 });
  const parsed = values(rows).map((text) => {
    try {
      return JSON.parse(text) as { order_id: number; ts: string };
    } catch {
      return undefined;
    }
  });
  const good = parsed.filter((order) => order !== undefined && !Number.isNaN(Date.parse(order.ts)));
  const late = parsed.filter(
    (order, i) => order !== undefined && Date.parse(textOf(rows[i]?.['timestamp'])) - Date.parse(order.ts) >= 3_600_000,
  );
  const share = (count: number): number => count / 20_000;
  expect(share(late.length)).toBeGreaterThan(0.08);
  expect(share(late.length)).toBeLessThan(0.14);
  expect(share(20_000 - good.length)).toBeGreaterThan(0.005);
  expect(share(20_000 - good.length)).toBeLessThan(0.03);
  const repeated = good.length - new Set(good.map((order) => order?.order_id)).size;
  expect(share(repeated)).toBeGreaterThan(0.03);
  expect(share(repeated)).toBeLessThan(0.07);
});

test('with a rate, records come into being as time goes by', async () => {
  const clock = new ManualClock(0);
  const source = new GenerateSource({ options: options({ rows: 100_000, rowsPerSecond: 1000 }), engine, clock });
  const read = async (at: Positions): Promise<number> => {
    const batch = await source.read(at, { ...ALL, flushMs: 2000 }, new AbortController().signal);
    await batch?.release();
    return batch?.rows ?? 0;
  };
  const rows = await read(new Map());
  expect(rows).toBeGreaterThanOrEqual(1900);
  expect(rows).toBeLessThanOrEqual(2100);
  expect(await source.exhausted(new Map())).toBe(false);
  await source.close();
});

test.each([
  [{ dataset: 'order' }, 'dataset', /orders/],
  [{ rows: -1 }, 'rows', /./],
  [{ lateRatio: 2 }, 'lateRatio', /./],
  [{ eventsPerDay: 5 }, 'eventsPerDay', /rows/],
  [{ rows: 5, startTimestamp: 'soon' }, 'startTimestamp', /2026-01-01/],
  [{ partition: 5 }, 'partition', /partitions/],
])('%j is refused', (args, option, advice) => {
  let error: unknown;
  try {
    options(args);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SluiceError);
  expect(error).toMatchObject({
    code: 'CONFIG_INVALID',
    facts: { option },
    advice: expect.stringMatching(advice) as string,
  });
});
