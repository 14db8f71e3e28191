/** Values as raw records in tables, and what decoding makes of them: as Kafka's source has them, and as one that did not look. */
import { systemClock } from '../../../../core/clock.ts';
import type { Engine } from '../../../../engine/engine.ts';
import type { Session } from '../../../../engine/session.ts';
import type { Row } from '../../../../engine/values.ts';
import { decodeBatch, plainRecords, type DecodeSpec } from '../../../../ingest/decode/decode.ts';
import { RecordBuffer } from '../../../../ingest/kafka/buffer.ts';
import { recordBatches } from '../../../../ingest/kafka/wire/record-batch.ts';
import { RecordCursor } from '../../../../ingest/kafka/wire/records.ts';
import { RECORD_COLUMNS } from '../../../../ingest/record.ts';
import type { Batch } from '../../../../ingest/source.ts';
import { encodeBatch } from '../kafka/kafkajs-wire.ts';

export type RecordValue = string | Uint8Array | null;

export interface Decoded {
  readonly good: readonly Row[];
  readonly bad: readonly Row[];
}

/** The records have offsets from 0 on, and the offset as their key. */
export class RawTables {
  readonly #engine: Engine;
  readonly #session: Session;
  #tables = 0;

  constructor(engine: Engine, session: Session) {
    this.#engine = engine;
    this.#session = session;
  }

  /** @returns also how many records were split into their fields */
  async looked(spec: DecodeSpec, values: readonly RecordValue[]): Promise<{ found: Decoded; split: number }> {
    const buffer = await RecordBuffer.create({
      engine: this.#engine,
      clock: systemClock,
      topics: ['orders'],
      bufferBytes: 2 ** 26,
      plain: plainRecords(spec),
      changed: () => undefined,
    });
    await buffer.prepare();
    if (values.length > 0) {
      const source = { topic: 'orders', partition: 0, name: 'orders/0', next: 0n };
      buffer.append(source, await cursorOf(values), BigInt(values.length));
    }
    const table = buffer.take(true);
    try {
      if (table === undefined) return { found: { good: [], bad: [] }, split: 0 };
      const split = table.looked === undefined ? 0 : table.rows - table.looked.wholeRows;
      return { found: await this.#decode(spec, table), split };
    } finally {
      await table?.release();
      await buffer.close();
    }
  }

  async unseen(spec: DecodeSpec, values: readonly RecordValue[]): Promise<Decoded> {
    const relation = `raw_${String(++this.#tables)}`;
    await this.#session.run(`CREATE TABLE ${relation} (${RECORD_COLUMNS.join(', ')})`);
    const appender = await this.#session.appender(relation);
    for (let at = 0; at < values.length; at += 2000) {
      const part = values.slice(at, at + 2000);
      const bytes = part.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
      const places = part.map((_, i) => at + i);
      const topics = part.map(() => 'orders');
      const times = part.map(() => 0n);
      const keys = places.map((place) => Buffer.from(String(place)));
      const numbers = [new Int32Array(part.length), Float64Array.from(places)];
      appender.append([topics, ...numbers, times, keys, bytes, []], part.length);
    }
    appender.close();
    try {
      return await this.#decode(spec, { relation });
    } finally {
      await this.#session.run(`DROP TABLE ${relation}`);
    }
  }

  async #decode(spec: DecodeSpec, table: Pick<Batch, 'relation' | 'looked'>): Promise<Decoded> {
    const decoded = await decodeBatch(this.#session, table, spec);
    try {
      const rows = (of: string): Promise<Row[]> => this.#session.rows(of);
      return {
        good: await rows(
          `SELECT * EXCLUDE (_metadata), _metadata."offset" AS o FROM ${decoded.good} AS good ORDER BY o`,
        ),
        bad: decoded.bad === undefined ? [] : await rows(`SELECT * FROM ${decoded.bad} AS bad ORDER BY "offset"`),
      };
    } finally {
      await decoded.release();
    }
  }
}

/** At the first of the records, as a broker sends them. */
async function cursorOf(values: readonly RecordValue[]): Promise<RecordCursor> {
  const records = values.map((value, i) => ({
    offsetDelta: i,
    timestampDelta: 0,
    key: Buffer.from(String(i)),
    value: value === null ? null : Buffer.from(value),
    headers: {},
  }));
  const times = { firstTimestamp: 0, maxTimestamp: 0 };
  const whole = await encodeBatch({ firstOffset: 0n, ...times, lastOffsetDelta: records.length - 1, records });
  const [header] = recordBatches(whole) ?? [];
  if (header === undefined) throw new Error('no batch');
  const cursor = new RecordCursor(header, whole.subarray(header.start, header.end));
  cursor.next();
  return cursor;
}
