/**
 * The rows of one Parquet file of a checkpoint, as the JSON of their actions.
 *
 * Promise: every field of an action is there with every digit, whatever columns the writer made (`partitionValues_parsed` alone
 * is passed over, and `stats_parsed` where there is `stats`). The rows come in no order, some thousands at once.
 *
 * DuckDB puts the fields of many rows into one text, which is taken apart here: a text for each value, or JSON to be parsed for
 * each row, takes two to three times as long.
 */
import { parseJson, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { DataType, Field } from '../../core/schema.ts';
import { quoteFile, quoteIdent, quoteString } from '../../engine/quoting.ts';
import type { Column, Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';

/** Rows in one text, and rows that are asked for at once. */
const TEXT_ROWS = 2048;
const SLICE_ROWS = 16 * TEXT_ROWS;
/** Ends the kind of an action, and each field of it. */
const END = '\u0001';
/** Actions of which a checkpoint has many. */
const MANY = ['add', 'remove'] as const;
/** Values of partitions that are parsed once only; so many. */
const KNOWN_MOST = 10_000;

const NO_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity|nan|inf)\b/g;

interface Layout {
  readonly kind: string;
  readonly fields: readonly Field[];
}

/** @param file on this machine */
export async function* readCheckpointRows(session: Session, file: string): AsyncIterable<readonly JsonObject[]> {
  const scan = `read_parquet(${quoteFile(file)}, hive_partitioning=false, file_row_number=true)`;
  const columns = (await session.describe(`FROM ${scan}`)).filter(({ name }) => name !== 'file_row_number');
  const layouts = MANY.flatMap((kind) => layoutOf(kind, columns));
  const row = rowText(layouts, columns);
  const slice = async (first: number): Promise<{ readonly rows: number; readonly texts: readonly string[] }> => {
    const found = await session.rows(
      `SELECT count(*) AS rows, string_agg(${row}, '') AS text FROM ${scan} AS t WHERE file_row_number BETWEEN ${String(first)} AND ${String(first + SLICE_ROWS - 1)} GROUP BY file_row_number // ${String(TEXT_ROWS)}`,
    );
    return {
      rows: found.reduce((sum, { rows }) => sum + Number(rows), 0),
      texts: found.map(({ text }) => textOf(text)),
    };
  };
  const decode = decoderOf(layouts);
  let next = slice(0);
  for (let first = 0; ; first += SLICE_ROWS) {
    const { rows, texts } = await next;
    const isLast = rows < SLICE_ROWS;
    // DuckDB works on the next ones meanwhile.
    if (!isLast) next = slice(first + SLICE_ROWS);
    try {
      for (const text of texts) yield decode(text);
    } finally {
      // Left early: nobody would hear of its failure.
      if (!isLast) next.catch(() => undefined);
    }
    if (isLast) return;
  }
}

function layoutOf(kind: string, columns: readonly Column[]): Layout[] {
  const type = columns.find(({ name }) => name === kind)?.type;
  if (type?.kind !== 'struct') return [];
  return [{ kind, fields: type.fields.filter(({ name }) => name !== 'partitionValues_parsed') }];
}

/** SQL for a row: the kind of its action and the fields of it, or JSON. */
function rowText(layouts: readonly Layout[], columns: readonly Column[]): string {
  const cases = layouts.map(({ kind, fields }) => {
    const hasStats = fields.some(({ name }) => name === 'stats');
    const texts = fields.map(({ name, type }) => {
      const value = `t.${quoteIdent(kind)}.${quoteIdent(name)}`;
      const wanted =
        name === 'stats_parsed' && hasStats ? `CASE WHEN t.${kind}.stats IS NULL THEN ${value} END` : value;
      return `coalesce(${fieldText(wanted, type)}, '')`;
    });
    return `WHEN t.${quoteIdent(kind)} IS NOT NULL THEN concat_ws(chr(1), ${[quoteString(kind), ...texts, "''"].join(', ')})`;
  });
  const others = columns.filter(({ name }) => !layouts.some(({ kind }) => kind === name));
  const members = others.map(({ name }) => `${quoteString(name)}: t.${quoteIdent(name)}`);
  const json = `chr(1) || ${members.length === 0 ? "'{}'" : `CAST(to_json({${members.join(', ')}}) AS VARCHAR)`} || chr(1)`;
  return cases.length === 0 ? json : `CASE ${cases.join(' ')} ELSE ${json} END`;
}

/** SQL for the text of a field: NULL is empty, a text that could be taken for something else is JSON. */
function fieldText(value: string, type: DataType): string {
  if (isPlain(type)) return `CAST(${value} AS VARCHAR)`;
  const json = `CAST(to_json(${value}) AS VARCHAR)`;
  if (!isText(type)) return json;
  const isOdd = `${value} = '' OR ${value}[1] = '"' OR contains(${value}, chr(1))`;
  return `CASE WHEN ${isOdd} THEN ${json} ELSE ${value} END`;
}

function isText(type: DataType): boolean {
  return type.kind === 'primitive' && type.name === 'string';
}

/** Whose text in DuckDB is JSON. */
function isPlain(type: DataType): boolean {
  return type.kind === 'primitive' && ['long', 'integer', 'short', 'byte', 'boolean'].includes(type.name);
}

function decoderOf(layouts: readonly Layout[]): (text: string) => JsonObject[] {
  const parsed = parserOf();
  const readers = new Map(
    layouts.map(({ kind, fields }) => {
      const nothing: Record<string, Json> = Object.fromEntries(fields.map(({ name }) => [name, null]));
      const reads = fields.map(({ name, type }) => {
        return { name, read: isText(type) ? textFrom : isPlain(type) ? plainFrom : parsed };
      });
      return [kind, { nothing, reads }];
    }),
  );
  return (text) => {
    const rows: JsonObject[] = [];
    let at = 0;
    const next = (): string => {
      const start = at;
      const end = text.indexOf(END, start);
      at = end + 1;
      return text.slice(start, end);
    };
    while (at < text.length) {
      const kind = next();
      const reader = readers.get(kind);
      if (reader === undefined) {
        const json = parseJson(next());
        if (isJsonObject(json)) rows.push(json);
        continue;
      }
      // A copy that has all the fields takes values many times faster than an object that grows by them.
      const action = { ...reader.nothing };
      for (const { name, read } of reader.reads) {
        const value = next();
        if (value !== '') action[name] = read(value);
      }
      rows.push({ [kind]: action });
    }
    return rows;
  };
}

/** Parses JSON; what has been parsed before is given again. */
function parserOf(): (text: string) => Json {
  const known = new Map<string, Json>();
  return (text) => {
    let json = known.get(text);
    if (json === undefined) {
      if (known.size === KNOWN_MOST) known.clear();
      json = parsedJson(text);
      known.set(text, json);
    }
    return json;
  };
}

/** DuckDB writes NaN and infinity as they stand: as bounds they say nothing, like NULL. */
function parsedJson(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return parseJson(text.replaceAll(NO_NUMBERS, (found) => (found.startsWith('"') ? found : 'null')));
  }
}

function textFrom(text: string): Json {
  return text.startsWith('"') ? parseJson(text) : text;
}

function plainFrom(text: string): Json {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.length < 16 ? Number(text) : parseJson(text);
}
