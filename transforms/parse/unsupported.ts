/** The parts of the dialect that sluice knows by name and does not have: refused clearly, never misread. */
import type { Cursor } from './cursor.ts';

type Refusal = readonly [words: string, advice: string];

const TABLE_ADVICE =
  'Write CREATE STREAMING TABLE (each row once) or CREATE MATERIALIZED VIEW (always the whole query).';
const LIVE_ADVICE = 'LIVE is the old spelling: leave the word out.';

const STATEMENTS: readonly Refusal[] = [
  ['CREATE FLOW', 'Write the query into the statement of its table: CREATE STREAMING TABLE … AS SELECT … FROM STREAM(…).'],
  ['AUTO CDC', 'Keep the latest row of a key with a MATERIALIZED VIEW: QUALIFY row_number() OVER (PARTITION BY key ORDER BY …) = 1.'],
  ['APPLY CHANGES', 'Keep the latest row of a key with a MATERIALIZED VIEW: QUALIFY row_number() OVER (PARTITION BY key ORDER BY …) = 1.'],
  ['CREATE LIVE', LIVE_ADVICE],
  ['CREATE STREAMING LIVE', LIVE_ADVICE],
  ['CREATE TEMPORARY LIVE', LIVE_ADVICE],
  ['CREATE PRIVATE', 'Use a TEMPORARY VIEW for what shall not become a table.'],
  ['CREATE TABLE', TABLE_ADVICE],
  ['CREATE VIEW', 'Write CREATE TEMPORARY VIEW (part of this project, no table) or CREATE MATERIALIZED VIEW.'],
  ['CREATE STREAMING VIEW', 'Write CREATE TEMPORARY VIEW: it may read a STREAM.'],
  ['CREATE FUNCTION', 'Write the expression into the query, or into a TEMPORARY VIEW.'],
  ['CREATE SCHEMA', 'Schemas need no statement: the first part of a table name is its schema.'],
  ['CREATE DATABASE', 'Schemas need no statement: the first part of a table name is its schema.'],
  ['CREATE SINK', 'Results are Delta tables: read them where they are.'],
  ['INSERT', TABLE_ADVICE],
  ['MERGE', TABLE_ADVICE],
  ['UPDATE', TABLE_ADVICE],
  ['DELETE', TABLE_ADVICE],
  ['ALTER', 'Change the statement that makes the table.'],
  ['DROP', "Delete the table's folder and its statement."],
  ['USE', 'Write names with their schema: silver.orders.'],
  ['SET', 'Settings are in sluice.yaml, variables in the environment: ${NAME}.'],
  ['SELECT', 'A pipeline file holds CREATE statements; run queries with `sluice sql`.'],
  ['WITH', 'A pipeline file holds CREATE statements; run queries with `sluice sql`.'],
]; // prettier-ignore

const CLAUSES: readonly Refusal[] = [
  ['CLUSTER BY', 'Write PARTITIONED BY (…), or leave it out.'],
  ['SCHEDULE', 'Leave it out: `sluice run` refreshes when an input has changed.'],
  ['TRIGGER ON', 'Leave it out: `sluice run` refreshes when an input has changed.'],
  ['LOCATION', 'Leave it out: tables live in the folder `lake` of sluice.yaml.'],
  ['OPTIONS', 'Write TBLPROPERTIES, or options of the source in read_kafka(…).'],
  ['WITH ROW FILTER', 'Filter in the query.'],
  ['WITH METRICS', 'Write a MATERIALIZED VIEW.'],
  ['ROW FILTER', 'Filter in the query.'],
  ['DEFAULT COLLATION', 'Leave it out: text is compared as UTF-8 bytes.'],
  ['FLOW AUTO CDC', 'Keep the latest row of a key with a MATERIALIZED VIEW.'],
];

const COLUMN_CLAUSES: readonly Refusal[] = [
  ['GENERATED', 'Compute the column in the query.'],
  ['DEFAULT', 'Write coalesce(…) in the query.'],
  ['PRIMARY KEY', 'Leave it out: it would not be enforced.'],
  ['FOREIGN KEY', 'Leave it out: it would not be enforced.'],
  ['REFERENCES', 'Leave it out: it would not be enforced.'],
  ['COLLATE', 'Leave it out: text is compared as UTF-8 bytes.'],
  ['MASK', 'Mask the value in the query.'],
];

const QUERY_CLAUSES: readonly Refusal[] = [
  ['WATERMARK', 'Leave it out, and aggregate in a MATERIALIZED VIEW: it takes late rows in too.'],
];

const LISTS = { statement: STATEMENTS, clause: CLAUSES, column: COLUMN_CLAUSES, query: QUERY_CLAUSES } as const;

/**
 * Refuses what stands at the cursor if it is known and not supported.
 * @throws SluiceError `SQL_SYNTAX` naming it.
 */
export function refuseUnsupported(cursor: Cursor, where: keyof typeof LISTS): void {
  for (const [words, advice] of LISTS[where]) {
    const keywords = words.split(' ');
    if (keywords.every((word, i) => cursor.peek(i)?.kind === 'word' && cursor.peek(i)?.text.toUpperCase() === word)) {
      const last = cursor.peek(keywords.length - 1) ?? cursor.here();
      throw cursor.error(`sluice has no ${words}`, { advice }, { start: cursor.here().start, end: last.end });
    }
  }
}
