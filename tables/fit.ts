/**
 * How the columns of new rows fit a table: by name, whatever their case.
 *
 * Promise: pure; a column of the rows is never left out without a word, and a type is only taken for another where SQL's INSERT
 * takes it too (values that do not fit are refused as they are written). Source: ANSI SQL, "store assignment", as Spark has
 * it; Databricks, "Schema evolution".
 */
import { SluiceError } from '../core/errors.ts';
import { struct, typeName, type DataType, type Field, type StructType } from '../core/schema.ts';
import { didYouMean } from '../core/suggest.ts';
import { defaultOf } from './defaults/columns.ts';
import { widensByItself } from './widening.ts';

export interface Fit {
  readonly table: string;
  /** Whether columns, and fields of structs, that the table lacks are added to it; else they are refused. */
  readonly evolve: boolean;
  /** What turns that on, for the advice. */
  readonly option: string;
  /** Whether columns grow to the wider types of the rows, where they may evolve (`delta.enableTypeWidening`). @default false */
  readonly widen?: boolean;
  /** Columns that are NOT NULL may be missing: not every column comes from the rows. @default false */
  readonly isPartial?: boolean;
}

/**
 * The schema of the table with such rows in it; the same object when they bring nothing new.
 * @throws SluiceError `SCHEMA_INCOMPATIBLE` naming every column that does not fit
 * @example fitted(snapshot.schema, rows, { table: snapshot.location, evolve: false, option: 'mergeSchema' })
 */
export function fitted(current: StructType, rows: StructType, fit: Fit): StructType {
  const problems: string[] = [];
  const news: string[] = [];
  const found = fitFields(current, rows, '', { fit, problems, news });
  if (news.length > 0 && !fit.evolve) problems.push(...news);
  if (problems.length === 0) return found;
  const onlyNew = problems.length === news.length;
  throw new SluiceError('SCHEMA_INCOMPATIBLE', `${fit.table}: the rows do not fit the table: ${problems.join('; ')}`, {
    advice: onlyNew
      ? `Leave the column out, or let the table have it (${fit.option}).`
      : 'Cast, rename or leave out the columns in the query.',
    facts: { table: fit.table, differences: problems },
  });
}

interface Found {
  readonly fit: Fit;
  readonly problems: string[];
  readonly news: string[];
}

function fitFields(current: StructType, rows: StructType, prefix: string, found: Found): StructType {
  const given = new Map<string, Field>();
  for (const field of rows.fields) {
    const name = field.name.toLowerCase();
    if (given.has(name)) found.problems.push(`the rows have ${prefix}${field.name} twice`);
    given.set(name, field);
  }
  let changed = false;
  const fields = current.fields.map((field): Field => {
    const own = given.get(field.name.toLowerCase());
    given.delete(field.name.toLowerCase());
    if (own === undefined) {
      const isFilled = prefix === '' && defaultOf(field) !== undefined;
      if (!field.nullable && !isFilled && found.fit.isPartial !== true)
        found.problems.push(`${prefix}${field.name} is NOT NULL in the table and missing in the rows`);
      return field;
    }
    const type = fitType(field.type, own.type, `${prefix}${field.name}`, found);
    changed ||= type !== field.type;
    return type === field.type ? field : { ...field, type };
  });
  const names = current.fields.map(({ name }) => name);
  for (const field of given.values()) {
    const near = didYouMean(field.name, names);
    found.news.push(`the table has no column ${prefix}${field.name}${near === undefined ? '' : ` (${near})`}`);
    fields.push(nullable(field));
    changed = true;
  }
  return changed ? struct(fields) : current;
}

function fitType(current: DataType, rows: DataType, path: string, found: Found): DataType {
  if (current.kind === 'struct' && rows.kind === 'struct') return fitFields(current, rows, `${path}.`, found);
  if (current.kind === 'array' && rows.kind === 'array') {
    const element = fitType(current.element, rows.element, `${path}.element`, found);
    return element === current.element ? current : { ...current, element };
  }
  if (current.kind === 'map' && rows.kind === 'map') {
    const key = fitType(current.key, rows.key, `${path}.key`, found);
    const value = fitType(current.value, rows.value, `${path}.value`, found);
    return key === current.key && value === current.value ? current : { ...current, key, value };
  }
  if (found.fit.evolve && found.fit.widen === true && widensByItself(current, rows)) return rows;
  if (!canStore(current, rows)) {
    found.problems.push(`${path} is ${typeName(current)} in the table and ${typeName(rows)} in the rows`);
  }
  return current;
}

/** A column that comes later is NULL in the rows before. */
function nullable(field: Field): Field {
  return { ...field, nullable: true, metadata: {} };
}

const NUMBERS = new Set(['byte', 'short', 'integer', 'long', 'float', 'double', 'decimal']);
const TIMES = new Set(['date', 'timestamp', 'timestamp_ntz']);

function canStore(current: DataType, rows: DataType): boolean {
  const [to, from] = [kindOf(current), kindOf(rows)];
  if (to === undefined || from === undefined) return false;
  if (to === from) return true;
  if (to === 'string') return from !== 'binary';
  return (NUMBERS.has(to) && NUMBERS.has(from)) || (TIMES.has(to) && TIMES.has(from));
}

function kindOf(type: DataType): string | undefined {
  if (type.kind === 'primitive') return type.name;
  return type.kind === 'decimal' ? 'decimal' : undefined;
}
