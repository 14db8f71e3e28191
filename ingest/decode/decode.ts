/**
 * From raw records to columns.
 *
 * Promise: each record of a batch is either in `good` or in `bad`, once. No value is changed or lost on the way: what does
 * not fit its column goes to the rescued data column, and a record that cannot be read goes to quarantine with its bytes.
 *
 * Records that a source has found to fit (plain.ts), or that match the schema's shape (shape.ts), are decoded by one
 * `from_json` as they are read; the others (judge.ts) are judged once, into a temporary table of this session. Memory:
 * nothing for the former, about twice their bytes for the latter.
 */
import { field, primitive, struct, type Field, type StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { RECORD_FIELDS } from '../quarantine.ts';
import { UNSURE_COLUMN } from '../record.ts';
import type { Batch } from '../source.ts';
import { judgedColumn, judgeQuery } from './judge.ts';
import { Learnt } from './learnt.ts';
import { learnOrders } from './orders.ts';
import type { PlainRecords } from './plain.ts';

/** The raw columns, in SQL. */
const RECORD = RECORD_FIELDS.map((f) => (f.name === 'topic' || f.name === 'headers' ? f.name : quoteIdent(f.name)));

/** The name that Databricks gives the rescued data column. */
export const RESCUED_DATA_COLUMN = '_rescued_data';
/** The hidden column: there when it is named, left out of `SELECT *`. */
export const METADATA_COLUMN = '_metadata';

/** Each record's value is one JSON object. */
export interface JsonSpec {
  readonly format: 'json';
  readonly schema: StructType;
  /** Undefined: a record with anything to rescue goes to quarantine. */
  readonly rescuedDataColumn: string | undefined;
}

/** Make one for a flow and keep it: what decoding learns about the records, to be faster, it keeps by this object. */
export type DecodeSpec = JsonSpec | { readonly format: 'string' } | { readonly format: 'binary' };

export interface Decoded {
  /** A relation with the user's columns and `_metadata`, as `decodedColumns` lists them. */
  readonly good: string;
  /** A relation with the columns of quarantine; undefined when no record of this batch is bad. */
  readonly bad: string | undefined;
  /** Drops what was made for this batch. Idempotent. */
  release(): Promise<void>;
}

/** The columns that decoding gives, without any data; the last one is the hidden `_metadata`. */
export function decodedColumns(spec: DecodeSpec): Field[] {
  const metadata = field(METADATA_COLUMN, struct(RECORD_FIELDS.filter((f) => f.name !== 'value')));
  if (spec.format !== 'json') {
    const value = field('value', primitive(spec.format));
    const order = ['key', 'value', 'topic', 'partition', 'offset', 'timestamp'];
    const own = order.flatMap((name) => RECORD_FIELDS.filter((f) => f.name === name));
    return [...own.map((f) => (f.name === 'value' ? value : f)), metadata];
  }
  const { schema, rescuedDataColumn } = spec;
  const rescued = rescuedDataColumn === undefined ? [] : [field(rescuedDataColumn, primitive('string'))];
  return [...schema.fields, ...rescued, metadata];
}

/** Makes the names of temporary tables differ; a session may have several batches in hand. */
let batches = 0;

const learntOf = new WeakMap<JsonSpec, Learnt>();

/** This many records on the slow road are worth a look at how they name their fields. */
const LEARN_FROM_ROWS = 50;

/** What a source needs to say `unsureRows` of a batch; it learns with each batch that is decoded. Undefined: nothing to tell. */
export function plainRecords(spec: DecodeSpec): PlainRecords | undefined {
  return spec.format === 'json' ? learntAbout(spec).plain : undefined;
}

function learntAbout(spec: JsonSpec): Learnt {
  const learnt = learntOf.get(spec) ?? new Learnt(spec.schema);
  learntOf.set(spec, learnt);
  return learnt;
}

/**
 * Decodes a batch of raw records, all of it inside DuckDB.
 * @param session where the relations can be read
 * @param batch its relation is the name of a table with the columns of `RECORD_COLUMNS`, which must not change until `release`
 * @example const { good, bad, release } = await decodeBatch(session, batch, spec);
 */
export async function decodeBatch(
  session: Session,
  batch: Pick<Batch, 'relation' | 'unsureRows'>,
  spec: DecodeSpec,
): Promise<Decoded> {
  const { relation } = batch;
  switch (spec.format) {
    case 'json':
      return decodeJson(session, batch, spec);
    case 'string':
      return decodeText(session, relation);
    case 'binary':
      return { good: rawColumns('"value"', relation), bad: undefined, release: () => Promise.resolve() };
  }
}

async function decodeJson(
  session: Session,
  { relation, unsureRows }: Pick<Batch, 'relation' | 'unsureRows'>,
  spec: JsonSpec,
): Promise<Decoded> {
  const fast: Decoded = { good: fastRows(relation, spec, undefined), bad: undefined, release: () => Promise.resolve() };
  if (unsureRows === 0) return fast;
  const sought = unsureRows === undefined ? 'true' : UNSURE_COLUMN;
  const name = `decode_${String(++batches)}`;
  const [slow, judged] = [`${name}_slow`, `${name}_judged`];
  const drop = async (): Promise<void> => {
    await session.run(`DROP TABLE IF EXISTS ${slow}`);
    await session.run(`DROP TABLE IF EXISTS ${judged}`);
  };
  try {
    const learnt = learntAbout(spec);
    let rows = await findSlow(session, relation, slow, learnt.shape, sought);
    if (rows > LEARN_FROM_ROWS) {
      const { shape } = learnt;
      const isNew = learnt.learn(await learnOrders(session, slow, spec.schema, learnt.orders));
      if (isNew && learnt.shape !== shape) rows = await findSlow(session, relation, slow, learnt.shape, sought);
    }
    if (rows === 0) {
      await drop();
      return fast;
    }
    const query = judgeQuery({ table: slow, record: RECORD }, spec.schema, spec.rescuedDataColumn !== undefined);
    await session.run(`CREATE OR REPLACE TEMP TABLE ${judged} AS ${query}`);
    await session.run(`DROP TABLE ${slow}`);
    const [counts] = await session.rows(`SELECT count(error_code) AS bad FROM ${judged}`);
    return {
      good: `(SELECT * FROM ${fastRows(relation, spec, judged)} UNION ALL SELECT * FROM ${judgedRows(judged, spec)})`,
      bad: counts?.['bad'] === 0n ? undefined : badRows(judged),
      release: drop,
    };
  } catch (error) {
    await drop();
    throw error;
  }
}

/**
 * Puts the records that the shape does not match into a table of their own; gives their number.
 * @param sought SQL: which records are to be looked at
 */
async function findSlow(
  session: Session,
  relation: string,
  table: string,
  shape: string | undefined,
  sought: string,
): Promise<number> {
  const document = 'TRY(decode("value"))';
  const where =
    shape === undefined ? '' : `AND NOT coalesce(regexp_full_match(${document}, ${quoteString(shape)}), false)`;
  const [made] = await session.rows(
    `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT rowid AS rid, ${RECORD.join(', ')}, ${document} AS document FROM ${relation} WHERE ${sought} ${where}`,
  );
  return Number(made?.['Count'] ?? 0);
}

/**
 * The records that match the shape. With `judged`, those in it are left out by a join that yields no text for them, so that
 * a filter of the user's, which DuckDB evaluates as early as it can, never sees bytes that cannot be decoded.
 */
function fastRows(relation: string, spec: JsonSpec, judged: string | undefined): string {
  const { fields } = spec.schema;
  const structure = quoteString(JSON.stringify(Object.fromEntries(fields.map((f) => [f.name, readAs(f)]))));
  const columns = fields.map((f) => {
    const value = `r.f.${quoteIdent(f.name)}`;
    return isBinary(f) ? `from_base64(${value})` : value;
  });
  const record = RECORD.filter((column) => column !== '"value"').map((column) => `raw.${column}`);
  const document =
    judged === undefined ? 'decode(raw."value")' : 'CASE WHEN j.rid IS NULL THEN decode(raw."value") END';
  const join = judged === undefined ? '' : `LEFT JOIN ${judged} AS j ON raw.rowid = j.rid WHERE j.rid IS NULL`;
  const read = `SELECT from_json(${document}, ${structure}) AS f, ${record.join(', ')} FROM ${relation} AS raw ${join}`;
  return `(SELECT ${named(columns, 'NULL::VARCHAR', 'r', spec)} FROM (${read}) AS r)`;
}

function judgedRows(judged: string, spec: JsonSpec): string {
  const columns = spec.schema.fields.map((_, i) => `r.${judgedColumn(i)}`);
  return `(SELECT ${named(columns, 'r.rescued', 'r', spec)} FROM ${judged} AS r WHERE r.error_code IS NULL)`;
}

function badRows(judged: string): string {
  return `(SELECT ${RECORD.join(', ')}, error_code, error_message FROM ${judged} WHERE error_code IS NOT NULL)`;
}

function named(columns: readonly string[], rescued: string, record: string, spec: JsonSpec): string {
  const own = spec.schema.fields.map((f, i) => `${columns[i] ?? 'NULL'} AS ${quoteIdent(f.name)}`);
  const { rescuedDataColumn } = spec;
  const rescue = rescuedDataColumn === undefined ? [] : [`${rescued} AS ${quoteIdent(rescuedDataColumn)}`];
  return [...own, ...rescue, metadata(record)].join(', ');
}

/** Binary comes as Base64 text. */
function readAs(field: Field): string {
  return isBinary(field) ? 'VARCHAR' : duckdbType(field.type);
}

function isBinary(field: Field): boolean {
  return field.type.kind === 'primitive' && field.type.name === 'binary';
}

async function decodeText(session: Session, relation: string): Promise<Decoded> {
  const text = 'TRY(decode("value"))';
  const notText = `FROM ${relation} WHERE "value" IS NOT NULL AND ${text} IS NULL`;
  const [counts] = await session.rows(`SELECT count(*) AS bad ${notText}`);
  const error = `'NOT_UTF8' AS error_code, 'the value is not text in UTF-8' AS error_message`;
  return {
    good:
      counts?.['bad'] === 0n
        ? rawColumns('decode("value")', relation)
        : rawColumns(text, `${relation} WHERE "value" IS NULL OR ${text} IS NOT NULL`),
    bad: counts?.['bad'] === 0n ? undefined : `(SELECT ${RECORD.join(', ')}, ${error} ${notText})`,
    release: () => Promise.resolve(),
  };
}

function rawColumns(value: string, from: string): string {
  const columns = ['"key"', `${value} AS "value"`, 'topic', '"partition"', '"offset"', '"timestamp"'];
  return `(SELECT ${columns.join(', ')}, ${metadata(undefined)} FROM ${from})`;
}

function metadata(record: string | undefined): string {
  const parts = RECORD.filter((column) => column !== '"value"');
  const at = record === undefined ? '' : `${record}.`;
  return `struct_pack(${parts.map((column) => `${column} := ${at}${column}`).join(', ')}) AS ${METADATA_COLUMN}`;
}
