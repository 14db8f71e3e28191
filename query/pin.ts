/**
 * From the tables that a statement names to pinned snapshots.
 *
 * Promise: one snapshot per table and version for the whole statement, so that a table read twice is the same twice whatever
 * is committed meanwhile.
 */
import { SluiceError } from '../core/errors.ts';
import type { SourceText } from '../core/source-text.ts';
import { isSymbol, type Token } from '../core/sql-tokens.ts';
import { nameAdvice, suggest } from '../core/suggest.ts';
import type { Session } from '../engine/session.ts';
import { DeltaTable, type Snapshot, type TableParts } from '../tables/index.ts';
import { splitArguments } from './brackets.ts';
import type { Catalog } from './catalog.ts';
import { placedError } from './errors.ts';
import type { Reference } from './references.ts';

export interface Pinned {
  readonly reference: Reference;
  /** The table's name or path, with `@v3` behind it when the statement asks for a version or time. */
  readonly key: string;
  readonly snapshot: Snapshot;
  /** What stands in the place of the snapshot: the changes that led to it. */
  readonly changes?: string;
}

export interface PinParts extends TableParts {
  readonly source: SourceText;
  readonly session: Session;
  readonly catalog: Catalog;
  readonly tokens: readonly Token[];
}

/** What DuckDB itself knows: its own catalogs, and files by their names. */
const SYSTEM = /^(information_schema|pg_catalog|system|temp)$/i;
const SYSTEM_VIEW = /^(duckdb_|pragma_|sqlite_(master|schema|temp))/i;
const DATA_FILE = /\.(parquet|csv|tsv|json|jsonl|ndjson)(\.(gz|zst|zstd|snappy))?$/i;

/**
 * Pins the tables; references to what DuckDB itself knows are left out.
 * @throws SluiceError `UNKNOWN_TABLE`, `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, with their place in the statement, and what
 * opening a table throws.
 */
export async function pinTables(references: readonly Reference[], parts: PinParts): Promise<Pinned[]> {
  const names = onceFrom(parts.catalog);
  const snapshots = new Map<string, Promise<Snapshot>>();
  const pinned = references.map(async (reference): Promise<Pinned[]> => {
    const target = await resolve(reference, names, parts);
    if (target === undefined) return [];
    if (target.from !== undefined) return [await pinChanges(reference, target, target.from, parts)];
    const at = target.at === undefined ? undefined : await evaluateAt(target.at, parts);
    const wanted = `${target.key}@${at === undefined ? '' : typeof at === 'bigint' ? String(at) : at.toISOString()}`;
    const snapshot = snapshots.get(wanted) ?? target.table.snapshot(at);
    snapshots.set(wanted, snapshot);
    const opened = await snapshot.catch((error: unknown) => {
      throw placeMissing(error, parts.source, reference);
    });
    return [
      { reference, key: at === undefined ? target.key : `${target.key}@v${String(opened.version)}`, snapshot: opened },
    ];
  });
  const settled = await Promise.allSettled(pinned);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

interface At {
  readonly unit: 'version' | 'timestamp';
  readonly expression: string;
  readonly start: number;
  readonly end: number;
}

interface Target {
  readonly key: string;
  readonly table: DeltaTable;
  readonly at: At | undefined;
  /** The first version of its changes, when they are asked for; `at` is the last one then. */
  readonly from?: At;
}

/** The names of the lake, which are asked for only when a table is not there by the name as it was written: that is a listing. */
type Names = () => Promise<readonly string[]>;

function onceFrom(catalog: Catalog): Names {
  let names: Promise<readonly string[]> | undefined;
  return () => (names ??= catalog.names());
}

/** The table of a name, whatever its letters' case. */
async function named(
  name: string,
  names: Names,
  catalog: Catalog,
): Promise<{ readonly key: string; readonly table: DeltaTable } | undefined> {
  const exact = await catalog.open(name);
  if (exact !== undefined) return { key: name, table: exact };
  const key = (await names()).find((one) => one.toLowerCase() === name.toLowerCase());
  const table = key === undefined ? undefined : await catalog.open(key);
  return key === undefined || table === undefined ? undefined : { key, table };
}

async function resolve(reference: Reference, names: Names, parts: PinParts): Promise<Target | undefined> {
  const { parts: written, travel, kind } = reference;
  if (kind === 'delta_scan') return scanTarget(reference, parts);
  if (kind === 'table_changes') return changesTarget(reference, names, parts);
  const name = written.join('.');
  const known = await named(name, names, parts.catalog);
  if (known !== undefined) return { ...known, at: travel };
  const [first = '', second] = written;
  if (first.toLowerCase() === 'delta' && written.length === 2 && second !== undefined) {
    return { key: second, table: DeltaTable.at(second, parts), at: travel };
  }
  const isSystem = written.some((part) => SYSTEM.test(part)) || SYSTEM_VIEW.test(written.at(-1) ?? '');
  if (isSystem || (written.length === 1 && DATA_FILE.test(first))) return undefined;
  throw parts.source.error('UNKNOWN_TABLE', reference, `there is no table ${name}`, {
    advice: tableAdvice(name, await names()),
  });
}

function tableAdvice(name: string, names: readonly string[]): string {
  if (names.length === 0) return 'The lake has no table yet: `sluice run` makes them.';
  const last = name.split('.').at(-1)?.toLowerCase();
  const same = names.filter((n) => n.split('.')[1]?.toLowerCase() === last);
  if (same.length > 0) return `Did you mean ${same.join(' or ')}?`;
  const near = name.includes('.') ? undefined : suggestTable(name, names);
  return nameAdvice(name, names, near);
}

function suggestTable(name: string, names: readonly string[]): string | undefined {
  const near = suggest(name, names.map((n) => n.split('.')[1] ?? '')); // prettier-ignore
  return near === undefined ? undefined : `Did you mean ${names.find((n) => n.endsWith(`.${near}`)) ?? near}?`;
}

/** `delta_scan('path', version => 3)` */
async function scanTarget(reference: Reference, parts: PinParts): Promise<Target> {
  const { source, tokens } = parts;
  const [path, ...options] = argumentsOf(source, tokens.slice(reference.tokens.first + 2, reference.tokens.last));
  if (path === undefined || path.name !== undefined) {
    throw source.error('SQL_INVALID', reference, 'delta_scan takes the path of a table first', {
      advice: "Write delta_scan('path/to/table'), or delta_scan('path/to/table', version => 3).",
    });
  }
  const location = String(await evaluate(`CAST((${path.expression}) AS VARCHAR)`, path, parts));
  let at: At | undefined = reference.travel;
  for (const option of options) {
    const unit = option.name?.toLowerCase();
    if (at !== undefined || (unit !== 'version' && unit !== 'timestamp')) {
      throw source.error('SQL_INVALID', option, 'delta_scan takes one of version and timestamp', {
        advice: "Write delta_scan('path', version => 3) or delta_scan('path', timestamp => '2026-01-02').",
      });
    }
    at = { unit, expression: option.expression, start: option.start, end: option.end };
  }
  return { key: location, table: DeltaTable.at(location, parts), at };
}

/** `table_changes('silver.orders', 3, 7)`, or with times or a path; without the last one up to the newest version. */
async function changesTarget(reference: Reference, names: Names, parts: PinParts): Promise<Target> {
  const { source, tokens, catalog } = parts;
  const given = argumentsOf(source, tokens.slice(reference.tokens.first + 2, reference.tokens.last));
  const [which, from, upTo, ...others] = given;
  if (which === undefined || from === undefined || others.length > 0 || given.some(({ name }) => name !== undefined)) {
    throw source.error('SQL_INVALID', reference, 'table_changes takes a table and one or two versions or times', {
      advice:
        "Write table_changes('silver.orders', 3, 7), or table_changes('silver.orders', '2026-01-02'); a path will do, too.",
    });
  }
  const name = String(await evaluate(`CAST((${which.expression}) AS VARCHAR)`, which, parts));
  const range = { from: await pointOf(from, parts), at: upTo && (await pointOf(upTo, parts)) };
  const known = name.includes('/') ? undefined : await named(name, names, catalog);
  if (known !== undefined) return { ...known, ...range };
  if (name.includes('/')) return { key: name, table: DeltaTable.at(name, parts), ...range };
  throw source.error('UNKNOWN_TABLE', which, `there is no table ${name}`, {
    advice: tableAdvice(name, await names()),
  });
}

/** A number is a version, anything else a time. */
async function pointOf(argument: Argument, parts: PinParts): Promise<At> {
  const type = String(await evaluate(`typeof(${argument.expression})`, argument, parts));
  return { ...argument, unit: /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type) ? 'version' : 'timestamp' };
}

async function pinChanges(
  reference: Reference,
  { key, table, at }: Target,
  from: At,
  parts: PinParts,
): Promise<Pinned> {
  const [first, last] = await Promise.all([evaluateAt(from, parts), at && evaluateAt(at, parts)]);
  try {
    const { relation, from: version, end } = await table.changeFeed(first, last);
    return { reference, key: `${key}@v${String(version)}..${String(end.version)}`, snapshot: end, changes: relation };
  } catch (error) {
    throw placeMissing(error, parts.source, reference);
  }
}

interface Argument {
  readonly name: string | undefined;
  readonly expression: string;
  readonly start: number;
  readonly end: number;
}

function argumentsOf(source: SourceText, tokens: readonly Token[]): Argument[] {
  return splitArguments(tokens).flatMap((group) => {
    const [first, second] = group;
    const named = isSymbol(second, '=>') || isSymbol(second, ':=') || isSymbol(second, '=');
    const [from, last] = [named ? group[2] : first, group.at(-1)];
    if (first === undefined || from === undefined || last === undefined) return [];
    const expression = source.text.slice(from.start, last.end);
    return [{ name: named ? first.value : undefined, expression, start: first.start, end: last.end }];
  });
}

async function evaluateAt(at: At, parts: PinParts): Promise<bigint | Date> {
  const [type, what] = at.unit === 'version' ? ['BIGINT', 'number'] : ['TIMESTAMPTZ', 'time'];
  const cast = `CAST((${at.expression}) AS ${type})`;
  const value = await evaluate(at.unit === 'version' ? cast : `epoch_ms(${cast})`, at, parts);
  if (typeof value === 'bigint') return at.unit === 'version' ? value : new Date(Number(value));
  throw parts.source.error('SQL_INVALID', at, `the ${at.unit} is no ${what}`, {
    advice: "Write VERSION AS OF 3, or TIMESTAMP AS OF '2026-01-02 12:00:00' (UTC).",
  });
}

/** The value of an expression that reads no table. */
async function evaluate(expression: string, at: { start: number; end: number }, parts: PinParts): Promise<unknown> {
  const { source, session } = parts;
  try {
    const [row] = await session.rows(`SELECT ${expression} AS value`);
    return row?.['value'];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw placedError(new SluiceError(error.code, error.message, { facts: { position: at.start }, cause: error }), {
      source,
      toOriginal: (offset) => offset,
      columns: [],
    });
  }
}

function placeMissing(error: unknown, source: SourceText, reference: Reference): unknown {
  const missing =
    error instanceof SluiceError &&
    ['TABLE_NOT_FOUND', 'VERSION_NOT_FOUND', 'CHANGE_DATA_MISSING'].includes(error.code);
  if (!missing) return error;
  return source.error(error.code, reference, error.message, { advice: error.advice, facts: error.facts, cause: error });
}
