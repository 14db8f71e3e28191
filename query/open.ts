/**
 * SQL over the tables of a lake: read only, every table pinned at one version for the whole statement, rows streamed.
 *
 * Promise: the statement runs as it was written, with nothing but its table names replaced (by macros that read the pinned
 * snapshots), so that what DuckDB says about it can be shown in the user's own text. Files that the WHERE rules out are not
 * opened. Memory holds a chunk of the result, not the result.
 */
import { SluiceError } from '../core/errors.ts';
import { SourceText } from '../core/source-text.ts';
import { isKeyword, splitStatements, tokenize, type Token } from '../core/sql-tokens.ts';
import type { JsonObject } from '../core/json.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import type { Session } from '../engine/session.ts';
import { tableFunctions } from '../engine/tree.ts';
import { findPredicates, toConditions } from '../tables/index.ts';
import { blank, closing, splitArguments } from './brackets.ts';
import { FileLease } from '../tables/index.ts';
import type { Catalog } from './catalog.ts';
import { placedError } from './errors.ts';
import { pinTables } from './pin.ts';
import { findSchemaPrefixes, findReferences, offsets, type Reference } from './references.ts';
import { runPrepared, type Prepared, type LeasedParts, type Query, type QueryParts } from './run.ts';
import { splice, type Edit } from './splice.ts';
import { classify } from './statement.ts';
import { findTravels } from './time-travel.ts';

/** Table functions of DuckDB that change something or write a file. */
const WRITING_FUNCTIONS = [
  'enable_logging',
  'disable_logging',
  'truncate_duckdb_logs',
  'checkpoint',
  'force_checkpoint',
];

/**
 * Runs the statements of a text one after the other; each starts when the one before has been read or closed.
 * @throws SluiceError as `openQuery`, when the failing statement is reached.
 * @example for await (const query of openQueries(session, 'SHOW TABLES; SELECT 1', catalog, parts)) await writeResult(query, …)
 */
export async function* openQueries(
  session: Session,
  sql: string,
  catalog: Catalog,
  parts: QueryParts,
): AsyncGenerator<Query, void, void> {
  const source = new SourceText(parts.file ?? 'query', sql);
  for (const { start, text } of statementsOf(source)) {
    const query = await openStatement(session, { source, start, end: start + text.length }, catalog, parts);
    try {
      yield query;
    } finally {
      await query.close();
    }
  }
}

/**
 * Runs one statement: SELECT (or WITH, VALUES, FROM first), DESCRIBE, SUMMARIZE, SHOW TABLES or EXPLAIN.
 * @throws SluiceError `SQL_SYNTAX`, `SQL_INVALID`, `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `SQL_NOT_READ_ONLY` with file, line, column and
 * the line itself; `QUERY_FAILED` for what fails while it runs (also from `batches`); what opening a table throws.
 * @example
 * const query = await openQuery(session, 'SELECT count(*) FROM silver.orders VERSION AS OF 3', catalog, parts);
 * for await (const rows of query.batches()) console.log(rows);
 */
export async function openQuery(session: Session, sql: string, catalog: Catalog, parts: QueryParts): Promise<Query> {
  const source = new SourceText(parts.file ?? 'query', sql);
  const { start, text } = onlyStatement(source);
  return openStatement(session, { source, start, end: start + text.length }, catalog, parts);
}

function onlyStatement(source: SourceText): { readonly text: string; readonly start: number } {
  const [first, second] = statementsOf(source);
  if (first === undefined) throw source.error('SQL_SYNTAX', { start: 0, end: 0 }, 'there is no statement');
  if (second !== undefined) {
    const span = { start: second.start, end: second.start + second.text.length };
    throw source.error('SQL_SYNTAX', span, 'there is more than one statement');
  }
  return first;
}

function statementsOf(source: SourceText): { text: string; start: number }[] {
  try {
    return splitStatements(source.text);
  } catch (error) {
    throw placedError(error, { source, toOriginal: (offset) => offset, columns: [] });
  }
}

interface Part {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

/** The files that a statement reads are kept until it is closed. */
async function openStatement(session: Session, part: Part, catalog: Catalog, parts: QueryParts): Promise<Query> {
  const lease = new FileLease();
  try {
    return await lease.run(() => openLeased(session, part, catalog, { ...parts, lease }));
  } catch (error) {
    await lease.end();
    throw error;
  }
}

async function openLeased(session: Session, part: Part, catalog: Catalog, parts: LeasedParts): Promise<Query> {
  return runPrepared(session, await prepare(session, part, catalog, parts), parts);
}

/** A query that another statement reads from, with its tables pinned. */
export interface QuerySource {
  /** SQL for the session, until `close`. */
  readonly sql: string;
  close(): Promise<void>;
}

/**
 * Makes a query over the tables of a catalog one that DuckDB alone understands; it is not run.
 * @throws SluiceError as `openQuery`
 * @example const { sql, close } = await openSource(session, 'SELECT * FROM silver.orders', catalog, parts);
 */
export async function openSource(
  session: Session,
  sql: string,
  catalog: Catalog,
  parts: QueryParts,
): Promise<QuerySource> {
  const source = new SourceText(parts.file ?? 'query', sql);
  const { start, text } = onlyStatement(source);
  const prepared = await prepare(session, { source, start, end: start + text.length }, catalog, parts);
  for (const macro of prepared.macros) await session.run(macro);
  return {
    sql: prepared.sql,
    close: async () => {
      for (const i of prepared.macros.keys())
        await session.run(`DROP MACRO TABLE IF EXISTS temp.__sluice_${String(i)}`);
    },
  };
}

async function prepare(session: Session, part: Part, catalog: Catalog, parts: QueryParts): Promise<Prepared> {
  const { source } = part;
  // Everything before the statement becomes spaces, so that places in it are places in the source.
  const whole = blank(source.text.slice(0, part.end), 0, part.start);
  const tokens = tokenize(whole);
  const statement = classify(source, tokens);
  if (statement.kind === 'show_tables') {
    const sql = showTables(await catalog.names(), statement.schema);
    return { sql, toOriginal: () => part.start, pinned: [], macros: [], source };
  }
  const travels = findTravels(whole, tokens);
  const text = travels.reduce(
    (sql, travel) => blank(sql, travel.start, travel.end),
    blankScanOptions(standardQuotes(whole, tokens), tokens),
  );
  const tree = await parse(session, blank(text, 0, statement.start), source);
  const toOffset = offsets(text);
  refuseWriting(tree, source, toOffset);
  const references = findReferences(source, tree, tokens, travels, toOffset);
  const pinned = await pinTables(references, { ...parts, source, session, catalog, tokens });
  const predicates = findPredicates(tree);
  const edits: Edit[] = findSchemaPrefixes(tree, tokens, references, toOffset).map((span) => ({ ...span, text: '' }));
  const macros: string[] = [];
  for (const [i, { reference, snapshot, changes }] of pinned.entries()) {
    const where = toConditions(predicates.get(reference.node) ?? [], snapshot.schema);
    const name = `__sluice_${String(i)}`;
    macros.push(
      `CREATE OR REPLACE TEMP MACRO ${name}() AS TABLE FROM ${changes ?? (await snapshot.relation({ where }))}`,
    );
    edits.push(...replacement(reference, tokens, name));
  }
  const spliced = splice(text, edits);
  return { sql: spliced.text, toOriginal: spliced.toOriginal, pinned, macros, source };
}

/** `name` in backquotes is Databricks' way; DuckDB knows double quotes. A name that has quotes inside stays as it is. */
function standardQuotes(sql: string, tokens: readonly Token[]): string {
  return tokens
    .filter((token) => token.text.startsWith('`') && !/["`]/.test(token.value))
    .reduce((text, { value, start, end }) => `${text.slice(0, start)}"${value}"${text.slice(end)}`, sql);
}

/** The options of every `delta_scan('path', timestamp => …)` as spaces: DuckDB's parser does not take a keyword for a name. */
function blankScanOptions(sql: string, tokens: readonly Token[]): string {
  let text = sql;
  for (const [i, token] of tokens.entries()) {
    const close = isKeyword(token, 'delta_scan') ? closing(tokens, i + 1) : undefined;
    const [path, ...options] = close === undefined ? [] : splitArguments(tokens.slice(i + 2, close));
    const [from, to] = [path?.at(-1)?.end, options.at(-1)?.at(-1)?.end];
    if (from !== undefined && to !== undefined) text = blank(text, from, to);
  }
  return text;
}

async function parse(session: Session, sql: string, source: SourceText): Promise<JsonObject> {
  try {
    return await session.serialize(sql);
  } catch (error) {
    const toOriginal = offsets(sql);
    if (error instanceof SluiceError && error.message.startsWith('Only SELECT statements')) {
      throw source.error('SQL_NOT_READ_ONLY', { start: 0, end: 0 }, 'queries only read', {
        advice: 'Use SELECT, DESCRIBE, SUMMARIZE, SHOW TABLES or EXPLAIN.',
        cause: error,
      });
    }
    throw placedError(error, { source, toOriginal, columns: [] });
  }
}

function refuseWriting(tree: JsonObject, source: SourceText, toOffset: (byte: number) => number): void {
  const call = tableFunctions(tree).find(({ name }) => WRITING_FUNCTIONS.includes(name.toLowerCase()));
  if (call === undefined) return;
  const start = toOffset(call.location ?? 0);
  throw source.error(
    'SQL_NOT_READ_ONLY',
    { start, end: start + call.name.length },
    `${call.name} is not allowed here: queries only read`,
  );
}

function showTables(names: readonly string[], schema: string | undefined): string {
  const rows = names
    .map((name) => [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)] as const)
    .filter(([own]) => schema === undefined || own.toLowerCase() === schema.toLowerCase())
    .map(([own, table]) => `(${quoteString(own)}, ${quoteString(table)})`);
  return rows.length === 0
    ? `SELECT '' AS "schema", '' AS "table" WHERE false`
    : `SELECT * FROM (VALUES ${rows.join(', ')}) AS t("schema", "table")`;
}

/** A call of the macro in place of the table, under the name that the statement may use for its columns. */
function replacement(reference: Reference, tokens: readonly Token[], macro: string): Edit[] {
  const { start, end, aliased, parts } = reference;
  const before = tokens[reference.tokens.first - 1];
  if (before !== undefined && isKeyword(before, 'TABLE')) {
    return [
      { start: before.start, end: before.end, text: 'FROM' },
      { start, end, text: `${macro}()` },
    ];
  }
  if (['DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE'].some((keyword) => isKeyword(before, keyword))) {
    return [{ start, end, text: `FROM ${macro}()` }];
  }
  return [{ start, end, text: `${macro}()${aliased ? '' : ` AS ${quoteIdent(parts.at(-1) ?? '')}`}` }];
}
