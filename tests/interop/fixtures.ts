/**
 * Tables that hold what engines are known to disagree about: every type with its extremes, nested values, odd characters
 * in partitions and columns, columns that came later, checkpoints.
 */
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { field, primitive, struct, type DataType, type Field, type StructType } from '../../core/schema.ts';
import { Engine } from '../../engine/engine.ts';
import type { Session } from '../../engine/session.ts';
import { DeltaTable, type Change } from '../../tables/index.ts';
import { digest, type Digest } from './digest.ts';

/** One engine and session, and the tables below one folder. */
export class Workbench {
  readonly session: Session;
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #random = seededRandom(7);

  private constructor(engine: Engine, session: Session, folder: string) {
    this.#engine = engine;
    this.session = session;
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Workbench> {
    const engine = await Engine.open({ memoryLimit: '500MB', threads: 2 });
    return new Workbench(engine, await engine.session(), folder);
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** A handle that knows nothing yet, as another process would have. */
  table(name: string, checkpointInterval = 10): DeltaTable {
    const parts = { engine: this.#engine, clock: systemClock, random: this.#random, checkpointInterval };
    return DeltaTable.at(this.path(name), parts);
  }

  /** What sluice itself sees. */
  async digest(name: string, version?: bigint): Promise<Digest & { readonly version: number }> {
    const snapshot = await this.table(name).snapshot(version);
    const query = `SELECT * FROM ${await snapshot.relation()}`;
    return { version: Number(snapshot.version), ...(await digest(this.session, query)) };
  }

  /** What sluice itself sees of the changes of some versions. */
  async changes(name: string, from: bigint, upTo: bigint): Promise<Digest> {
    return digest(this.session, `SELECT * FROM ${(await this.table(name).changeFeed(from, upTo)).relation}`);
  }

  /** Writes the rows of a query in one commit. */
  async write(
    table: DeltaTable,
    query: string,
    shape: { readonly schema: StructType; readonly partitionColumns?: readonly string[] },
    change: Partial<Change> = {},
  ): Promise<void> {
    const full = { schema: shape.schema, partitionColumns: shape.partitionColumns ?? [] };
    const add = await table.stage(this.session, query, full);
    const result = await table.commit({ operation: 'WRITE', mode: 'append', add, ...full, ...change });
    if (result.kind === 'conflict') throw new Error(`the commit was lost: ${JSON.stringify(result.reason)}`);
  }

  close(): void {
    this.session.close();
    this.#engine.close();
  }
}

const long = primitive('long');
const text = primitive('string');
const decimal = (precision: number, scale: number): DataType => ({ kind: 'decimal', precision, scale });
const array = (element: DataType): DataType => ({ kind: 'array', element, containsNull: true });
const map = (key: DataType, value: DataType): DataType => ({ kind: 'map', key, value, valueContainsNull: true });

const ALL_TYPES: readonly (readonly [column: Field, values: readonly string[]])[] = [
  [field('text', text), [`''`, `'naïve 😀 \u{10FFFF}'`, `'line' || chr(10) || 'break "quoted" \\ ''single'''`]],
  [field('long', long), ['-9223372036854775808', '9223372036854775807', '9007199254740993']],
  [field('int', primitive('integer')), ['-2147483648', '2147483647', '0']],
  [field('short', primitive('short')), ['-32768', '32767', '0']],
  [field('byte', primitive('byte')), ['-128', '127', '0']],
  [field('float', primitive('float')), [`'NaN'::FLOAT`, `'-Infinity'::FLOAT`, '1.1::FLOAT']],
  [field('double', primitive('double')), [`'Infinity'::DOUBLE`, '-0.0::DOUBLE', '2.2250738585072014e-308']],
  [field('flag', primitive('boolean')), ['true', 'false', 'NULL']],
  [field('bytes', primitive('binary')), [`''::BLOB`, `'\\x00\\xFF'::BLOB`, 'NULL']],
  [field('day', primitive('date')), [`DATE '0001-01-01'`, `DATE '9999-12-31'`, `DATE '1969-12-31'`]],
  [field('at', primitive('timestamp')), [`TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'`, `TIMESTAMPTZ '2026-03-29 02:30:00.000001+01'`, `TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'`]], // prettier-ignore
  [field('small_money', decimal(9, 2)), ['-9999999.99', '9999999.99', '0.10']],
  [field('money', decimal(18, 4)), ['-99999999999999.9999', '99999999999999.9999', '1.5000']],
  [field('big_money', decimal(38, 10)), ['-9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999', '0.0000000001']], // prettier-ignore
  [field('list', array(long)), ['[]', '[1, NULL, 9223372036854775807]', 'NULL']],
  [field('facts', map(text, decimal(10, 2))), [`MAP {}`, `MAP {'a': 1.25, 'ü': NULL}`, 'NULL']],
  [field('inner', struct([field('a', long), field('b', struct([field('c', array(text))]))])), [`{a: 1, b: {c: ['x', NULL]}}`, '{a: NULL, b: NULL}', 'NULL']], // prettier-ignore
  [field('rows', array(struct([field('k', text), field('v', map(text, array(long)))]))), [`[{k: 'a', v: MAP {'x': [1, 2]}}]`, '[NULL]', '[]']], // prettier-ignore
];

const ODD = [
  'plain',
  'with space',
  'a/b',
  'a%2Fb',
  'key=value',
  `quo"te's`,
  'ümlaut 😀',
  '__HIVE_DEFAULT_PARTITION__',
  '#?&+',
  '..',
];

/** Makes the tables, and gives their names. */
export async function makeTables(bench: Workbench): Promise<string[]> {
  const tables = { types, spread_types: spreadTypes, partitions, naive, names, grown, checkpointed, empty };
  for (const [name, make] of Object.entries(tables)) await make(bench, bench.table(name));
  return Object.keys(tables);
}

/** Each type with three values and NULL, in one file. */
async function types(bench: Workbench, table: DeltaTable): Promise<void> {
  await bench.write(table, typeRows([0, 1, 2, 3]), { schema: struct(ALL_TYPES.map(([column]) => column)) });
}

/** The same one row a file, so that each file's statistics are one value's. */
async function spreadTypes(bench: Workbench, table: DeltaTable): Promise<void> {
  const schema = struct(ALL_TYPES.map(([column]) => column));
  for (const row of [0, 1, 2, 3]) await bench.write(table, typeRows([row]), { schema });
}

function typeRows(rows: readonly number[]): string {
  const selects = rows.map((row) => ALL_TYPES.map(([{ name }, values]) => `${values[row] ?? 'NULL'} AS ${name}`));
  return selects.map((columns) => `SELECT ${columns.join(', ')}`).join(' UNION ALL ');
}

async function partitions(bench: Workbench, table: DeltaTable): Promise<void> {
  const schema = struct([
    field('id', long),
    field('kind', text),
    field('day', primitive('date')),
    field('level', decimal(6, 2)),
    field('open', primitive('boolean')),
    field('at', primitive('timestamp')),
  ]);
  const kinds = ODD.map((kind) => `'${kind.replaceAll("'", "''")}'`);
  const query =
    `SELECT range AS id, ([${kinds.join(', ')}, NULL])[range % ${String(kinds.length + 1)} + 1] AS kind, ` +
    `CASE WHEN range % 7 > 0 THEN DATE '2026-01-01' + (range % 2)::INTEGER END AS day, ` +
    `CASE WHEN range % 5 > 0 THEN (range % 3) * 1.25 END AS level, range % 2 = 0 AS open, ` +
    `TIMESTAMPTZ '2026-01-01 00:00:00.000001+00' AS at FROM range(60)`;
  await bench.write(table, query, { schema, partitionColumns: ['kind', 'day', 'level', 'open', 'at'] });
}

/** delta-rs 1.6 cannot read this one: it makes `-1.-25` of the value. */
export async function negativePartition(bench: Workbench, table: DeltaTable): Promise<void> {
  const schema = struct([field('id', long), field('level', decimal(6, 2))]);
  await bench.write(table, 'SELECT range AS id, -1.25 * range AS level FROM range(3)', {
    schema,
    partitionColumns: ['level'],
  });
}

/** Times without a zone need table features. */
async function naive(bench: Workbench, table: DeltaTable): Promise<void> {
  const schema = struct([field('id', long), field('local', primitive('timestamp_ntz'))]);
  const query = `SELECT range AS id, TIMESTAMP '1969-12-31 23:59:59.5' + INTERVAL 1 SECOND * range AS local FROM range(3)`;
  await bench.write(table, query, { schema });
}

/** Columns with names that SQL and URLs find hard. */
async function names(bench: Workbench, table: DeltaTable): Promise<void> {
  const columns = ['select', 'größe', 'a-b', 'a.b', '😀', '"', "'", '%20', 'UPPER'];
  const schema = struct([...columns.map((name) => field(name, long)), field('Part-Ü', text)]);
  const row = columns.map((name, i) => `${String(i)} AS "${name.replaceAll('"', '""')}"`);
  await bench.write(table, `SELECT ${row.join(', ')}, 'x y' AS "Part-Ü"`, { schema, partitionColumns: ['Part-Ü'] });
}

/** Columns that came later: old files do not have them. */
async function grown(bench: Workbench, table: DeltaTable): Promise<void> {
  const first = struct([field('id', long)]);
  const second = struct([...first.fields, field('note', text), field('tags', array(text))]);
  await bench.write(table, 'SELECT range AS id FROM range(5)', { schema: first });
  await bench.write(table, `SELECT range AS id, 'n' || range AS note, ['t'] AS tags FROM range(5, 9)`, {
    schema: second,
  });
}

/** Many commits with positions, an overwrite among them, and properties: what a checkpoint must carry over. */
async function checkpointed(bench: Workbench, table: DeltaTable): Promise<void> {
  const schema = struct([field('id', long), field('day', primitive('date')), field('note', text)]);
  for (let i = 0; i < 24; i++) {
    const query =
      `SELECT ${String(i * 10)} + range AS id, DATE '2026-02-01' + ${String(i % 3)}::INTEGER AS day, ` +
      `repeat('ü', 40) || range AS note FROM range(10)`;
    await bench.write(
      table,
      query,
      { schema, partitionColumns: ['day'] },
      {
        mode: i === 7 ? 'overwrite' : 'append',
        txn: new Map([['sluice:checkpointed:orders/0', BigInt(i * 10)]]),
        ...(i === 0 ? { properties: { 'sluice.test': 'kept' }, comment: 'many commits' } : {}),
      },
    );
  }
}

async function empty(bench: Workbench, table: DeltaTable): Promise<void> {
  const schema = struct([field('id', long), field('day', primitive('date'))]);
  await bench.write(table, 'SELECT NULL AS id, NULL AS day WHERE false', { schema, partitionColumns: ['day'] });
}
