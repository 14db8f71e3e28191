/**
 * `npm run bench:parquet`: parquetjs-lite beside DuckDB as the writer of Parquet files, for ADR 1. Both write the same
 * records with Snappy into one file, once from JSON bytes, as Kafka hands them over, and once from rows that are
 * JavaScript values already. No broker, no peer: it needs nothing but the repository.
 *
 * Promise: a file counts only when DuckDB reads the same rows and sums back from it.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import parquetjs from 'parquetjs-lite';
import { SluiceError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { CHUNK_ROWS } from '../engine/vectors.ts';
import { Engine } from '../engine/engine.ts';
import { copyToParquet } from '../engine/parquet.ts';
import { quoteString } from '../engine/quoting.ts';
import type { Session } from '../engine/session.ts';
import type { Value } from '../engine/values.ts';
import { machine, versions } from './machine.ts';
import { order } from './orders.ts';
import { progress } from './progress.ts';
import { figure, toText, type Figure } from './report.ts';
import { ratios } from './stats.ts';

interface Order {
  readonly order_id: number;
  readonly customer_id: number;
  readonly customer: string;
  readonly product: string;
  readonly quantity: number;
  readonly amount: number;
  readonly currency: string;
  readonly paid: boolean;
  readonly ts: string;
}

interface Input {
  readonly records: readonly Uint8Array[];
  readonly rows: readonly Order[];
}

type Writer = (file: string) => Promise<void>;

/** DuckDB's types; amounts are doubles here on both sides, since parquetjs-lite has no decimals. */
const COLUMNS = {
  order_id: 'BIGINT',
  customer_id: 'BIGINT',
  customer: 'VARCHAR',
  product: 'VARCHAR',
  quantity: 'INTEGER',
  amount: 'DOUBLE',
  currency: 'VARCHAR',
  paid: 'BOOLEAN',
  ts: 'TIMESTAMPTZ',
} as const;

const snappy = (type: string) => ({ type, compression: 'SNAPPY', optional: true });
const PARQUETJS_SCHEMA = new parquetjs.ParquetSchema({
  order_id: snappy('INT64'),
  customer_id: snappy('INT64'),
  customer: snappy('UTF8'),
  product: snappy('UTF8'),
  quantity: snappy('INT32'),
  amount: snappy('DOUBLE'),
  currency: snappy('UTF8'),
  paid: snappy('BOOLEAN'),
  ts: snappy('TIMESTAMP_MICROS'),
});
const ROW_GROUP_ROWS = 122_880;

/** parquetjs-lite takes rows one by one, so each record is parsed in JavaScript. */
async function withParquetjs(rows: Iterable<Order>, file: string): Promise<void> {
  const writer = await parquetjs.ParquetWriter.openFile(PARQUETJS_SCHEMA, file, { rowGroupSize: ROW_GROUP_ROWS });
  for (const row of rows) await writer.appendRow({ ...row, ts: Date.parse(row.ts) * 1000 });
  await writer.close();
}

function* parsed(records: readonly Uint8Array[]): Iterable<Order> {
  const decoder = new TextDecoder();
  for (const record of records) yield JSON.parse(decoder.decode(record)) as Order;
}

/** DuckDB takes the raw bytes and decodes them itself, with all of its threads. */
async function duckdbFromJson(session: Session, records: readonly Uint8Array[], file: string): Promise<void> {
  await session.run('CREATE OR REPLACE TABLE raw (value BLOB)');
  await appendChunks(session, 'raw', records.length, (from, to) => [records.slice(from, to)]);
  const shape = JSON.stringify(COLUMNS);
  const query = `SELECT unnest(from_json_strict(decode(value), ${quoteString(shape)})) FROM raw`;
  await copyToParquet(session, query, file, { compression: 'snappy' });
}

async function duckdbFromRows(session: Session, rows: readonly Order[], file: string): Promise<void> {
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`);
  await session.run(`CREATE OR REPLACE TABLE parsed (${columns.join(', ')})`);
  await appendChunks(session, 'parsed', rows.length, (from, to) => {
    const chunk = rows.slice(from, to);
    return [
      chunk.map((row) => BigInt(row.order_id)),
      chunk.map((row) => BigInt(row.customer_id)),
      chunk.map((row) => row.customer),
      chunk.map((row) => row.product),
      chunk.map((row) => row.quantity),
      chunk.map((row) => row.amount),
      chunk.map((row) => row.currency),
      chunk.map((row) => row.paid),
      chunk.map((row) => BigInt(Date.parse(row.ts)) * 1000n),
    ];
  });
  await copyToParquet(session, 'SELECT * FROM parsed', file, { compression: 'snappy' });
}

async function appendChunks(
  session: Session,
  table: string,
  rows: number,
  columns: (from: number, to: number) => readonly (readonly Value[])[],
): Promise<void> {
  const appender = await session.appender(table);
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const to = Math.min(rows, from + CHUNK_ROWS);
    appender.append(columns(from, to), to - from);
  }
  appender.flush();
  appender.close();
}

interface Measured {
  readonly rowsPerSecond: number;
  readonly bytes: number;
}

async function measure(session: Session, write: Writer, file: string, input: Input): Promise<Measured> {
  const startMs = performance.now();
  await write(file);
  const seconds = (performance.now() - startMs) / 1000;
  const [found] = await session.rows(
    `SELECT count(*) AS n, sum(order_id) AS ids, sum(round(amount * 100)::BIGINT) AS cents, sum(epoch_ms(ts)) AS ms ` +
      `FROM read_parquet(${quoteString(file)})`,
  );
  const total = (of: (row: Order) => number): bigint => input.rows.reduce((sum, row) => sum + BigInt(of(row)), 0n);
  const same =
    found?.['n'] === BigInt(input.rows.length) &&
    found['ids'] === total((row) => row.order_id) &&
    found['cents'] === total((row) => Math.round(row.amount * 100)) &&
    found['ms'] === total((row) => Date.parse(row.ts));
  if (!same) throw new SluiceError('INTERNAL', `${file} does not hold the rows that were written to it`);
  const { size } = await stat(file);
  await rm(file);
  return { rowsPerSecond: input.rows.length / seconds, bytes: size };
}

function makeInput(count: number): Input {
  const random = seededRandom(1);
  const atMs = Date.UTC(2026, 0, 1);
  const records = Array.from({ length: count }, (_, i) => Buffer.from(order(i, atMs + i, random).value));
  return { records, rows: [...parsed(records)] };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { records: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '3' } },
  });
  const startedAt = new Date().toISOString();
  const on = machine();
  const input = makeInput(Number(values.records));
  const folder = await mkdtemp(join(tmpdir(), 'sluice-parquet-'));
  const engine = await Engine.open({ memoryLimit: '1GB' });
  const session = await engine.session();
  const writers: readonly (readonly [name: string, write: Writer])[] = [
    ['DuckDB, from JSON bytes', (file) => duckdbFromJson(session, input.records, file)],
    ['parquetjs-lite, from JSON bytes', (file) => withParquetjs(parsed(input.records), file)],
    ['DuckDB, from JavaScript rows', (file) => duckdbFromRows(session, input.rows, file)],
    ['parquetjs-lite, from JavaScript rows', (file) => withParquetjs(input.rows, file)],
  ];
  const rates = writers.map((): number[] => []);
  const sizes = writers.map((): number[] => []);
  try {
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const [i, [name, write]] of writers.entries()) {
        const { rowsPerSecond, bytes } = await measure(session, write, join(folder, `${String(i)}.parquet`), input);
        rates[i]?.push(rowsPerSecond);
        sizes[i]?.push(bytes / 2 ** 20);
        progress(`round ${String(round)}: ${name}, ${String(Math.round(rowsPerSecond))} records/s`);
      }
    }
    const [duckdbJson = [], parquetjsJson = [], duckdbRows = [], parquetjsRows = []] = rates;
    const figures: Figure[] = [
      ...writers.flatMap(([name], i) => figure(name, 'records/s', rates[i] ?? [])),
      ...figure('DuckDB / parquetjs-lite, from JSON bytes', '×', ratios(duckdbJson, parquetjsJson)),
      ...figure('DuckDB / parquetjs-lite, from JavaScript rows', '×', ratios(duckdbRows, parquetjsRows)),
      ...figure('file of DuckDB', 'MiB', sizes[0] ?? []),
      ...figure('file of parquetjs-lite', 'MiB', sizes[1] ?? []),
    ];
    const about =
      `${input.rows.length.toLocaleString('en')} records of ~170 bytes into one Parquet file (Snappy), ` +
      'from the first record to the closed file.';
    const benches = [{ bench: 'parquet writers', about, figures }];
    process.stdout.write(toText({ startedAt, machine: on, versions: await versions(), benches }));
  } finally {
    session.close();
    engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
