/**
 * Columns that are added, renamed, dropped and changed: what the table says of itself afterwards.
 *
 * Promise: pure; data files stay as they are and are read rightly under the new columns, or the change is refused.
 * Source: Delta, `alterDeltaTableCommands.scala`.
 */
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { sameType, typeName, type Field } from '../../core/schema.ts';
import { defaultOf, tooLate } from '../defaults/columns.ts';
import { checkNames } from '../evolve.ts';
import type { Metadata } from '../log/actions.ts';
import { checkPartitionColumns } from '../partitions.ts';
import { canWiden, mayWiden, withTypeChanges } from '../widening.ts';
import type { ColumnChange, NewColumn, Position } from './alteration.ts';
import { checkNoDependents } from './dependents.ts';
import {
  fieldAt,
  fieldNamed,
  partsOf,
  pathText,
  spelt,
  withField,
  withStruct,
  withType,
  type ColumnPath,
} from './path.ts';
import { statsColumnsWith } from './stats-columns.ts';
import { columnWords } from './words.ts';

export interface Altered {
  readonly metadata: Metadata;
  readonly operation: string;
  readonly operationParameters: Readonly<Record<string, string>>;
  readonly clusterBy?: readonly ColumnPath[];
}

export interface Now {
  readonly metadata: Metadata;
  readonly isMapped: boolean;
  readonly clusteringColumns: readonly ColumnPath[];
  readonly table: string;
}

export function addColumns({ metadata, isMapped, table }: Now, columns: readonly NewColumn[]): Altered {
  let { schema } = metadata;
  const words = columns.map(({ column, parent = [], position }) => {
    const path = spelt(schema, partsOf(parent, table), table);
    if (hasNotNull(column)) {
      throw refused(table, [...path, column.name], 'is NOT NULL, and the rows that are there have no value for it', 'Add it without, fill it, and make it NOT NULL then.'); // prettier-ignore
    }
    if (defaultOf(column) !== undefined) throw tooLate(column, table);
    const where = position && speltPosition(schema, path, position, table);
    schema = withStruct(schema, path, table, (fields) => placed(fields, column, where, path, table));
    return columnWords(path, column, where);
  });
  checkNames(schema, { table, anyName: isMapped });
  return {
    metadata: { ...metadata, schema },
    operation: 'ADD COLUMNS',
    operationParameters: { columns: stringifyJson(words) },
  };
}

export function renameColumn({ metadata, isMapped, table }: Now, from: ColumnPath, to: string): Altered {
  const path = spelt(metadata.schema, partsOf(from, table), table);
  const field = namedField(metadata, path, table);
  if (!isMapped) throw unmapped(table, path, 'renamed');
  checkNoDependents(metadata, path, 'renamed', table);
  const schema = withField(metadata.schema, path, table, () => ({ ...field, name: to }));
  checkNames(schema, { table, anyName: true });
  const partitionColumns = metadata.partitionColumns.map((name) => (path.length === 1 && name === path[0] ? to : name));
  const renamed = [...path.slice(0, -1), to];
  return {
    metadata: { ...metadata, schema, partitionColumns, configuration: statsColumnsWith(metadata, path, renamed) },
    operation: 'RENAME COLUMN',
    operationParameters: { oldColumnPath: pathText(path), newColumnPath: pathText(renamed) },
  };
}

export function dropColumns({ metadata, isMapped, table }: Now, columns: readonly ColumnPath[]): Altered {
  let next = metadata;
  const paths = columns.map((column) => spelt(metadata.schema, partsOf(column, table), table));
  for (const path of paths) {
    const field = namedField(next, path, table);
    if (!isMapped) throw unmapped(table, path, 'dropped');
    if (path.length === 1 && metadata.partitionColumns.includes(field.name)) {
      throw refused(table, path, 'cannot be dropped: the table is partitioned by it', 'Overwrite the table with overwriteSchema to partition it otherwise.'); // prettier-ignore
    }
    checkNoDependents({ ...next, schema: { ...next.schema, fields: next.schema.fields.filter((one) => one !== field) } }, path, 'dropped', table); // prettier-ignore
    const schema = withStruct(next.schema, path.slice(0, -1), table, (fields) => {
      if (fields.length > 1) return fields.filter(({ name }) => name !== field.name);
      throw refused(table, path, 'cannot be dropped: there is no other beside it', 'Drop the whole, or add another first.'); // prettier-ignore
    });
    checkPartitionColumns(schema, metadata.partitionColumns, table);
    next = { ...next, schema, configuration: statsColumnsWith(next, path, undefined) };
  }
  return {
    metadata: next,
    operation: 'DROP COLUMNS',
    operationParameters: { columns: stringifyJson(paths.map(pathText)) },
  };
}

export function alterColumn({ metadata, table }: Now, change: ColumnChange): Altered {
  const path = spelt(metadata.schema, partsOf(change.column, table), table);
  const parent = path.slice(0, -1);
  const old = fieldAt(metadata.schema, path, table);
  const { type, comment, nullable, position } = change;
  let { schema } = metadata;
  if (old === undefined && (comment !== undefined || nullable !== undefined || position !== undefined)) {
    throw refused(table, path, 'is part of a list or a map, and only its type can be changed', 'Name the column.');
  }
  if (type !== undefined) {
    schema = withType(schema, path, table, (before) => {
      if (sameType(before, type)) return before;
      if (!canWiden(before, type)) throw refused(table, path, `is ${typeName(before)}, and cannot become ${typeName(type)}`, 'Types can only be widened: BIGINT for INT, DOUBLE for FLOAT, more digits for DECIMAL. For another one write a new column.'); // prettier-ignore
      if (!mayWiden(metadata.configuration)) throw refused(table, path, 'cannot be widened', 'Set the table property delta.enableTypeWidening to true first.'); // prettier-ignore
      checkNoDependents(metadata, path, 'widened', table);
      checkNotComputed(old, path, table);
      return type;
    });
    schema = withTypeChanges(schema, metadata.schema);
  }
  const now = fieldAt(schema, path, table);
  const described = now && {
    ...now,
    ...(comment === undefined ? {} : { metadata: { ...now.metadata, comment } }),
    nullable: nullable ?? now.nullable,
  };
  if (now !== undefined && described !== undefined) {
    const where = position && speltPosition(schema, parent, position, table);
    schema = withStruct(schema, parent, table, (fields) => {
      if (where === undefined) return fields.map((field) => (field.name === now.name ? described : field));
      return placed(fields.filter((field) => field.name !== now.name), described, where, parent, table); // prettier-ignore
    });
  }
  const part = path.at(-1) ?? '';
  const told: Field = {
    name: part,
    type: typeAt(schema, path, table),
    nullable: described?.nullable ?? mayPartBeNull(typeAt(schema, parent, table), part),
    metadata: { ...old?.metadata, ...(comment === undefined ? {} : { comment }) },
  };
  return {
    metadata: { ...metadata, schema },
    operation: 'CHANGE COLUMN',
    operationParameters: Object.fromEntries(
      Object.entries(columnWords(parent, told, position)).map(([key, value]) => [key, typeof value === 'string' ? value : stringifyJson(value ?? null)]), // prettier-ignore
    ),
  };
}

/** Of the elements of a list, and the keys and values of a map. */
function mayPartBeNull(type: Field['type'], part: string): boolean {
  if (type.kind === 'array') return type.containsNull;
  return type.kind !== 'map' || (part !== 'key' && type.valueContainsNull);
}

function typeAt(schema: Metadata['schema'], path: readonly string[], table: string): Field['type'] {
  let found: Field['type'] = schema;
  withType(schema, path, table, (type) => (found = type));
  return found;
}

/** The position, as the schema spells the neighbour. */
function speltPosition(
  schema: Metadata['schema'],
  parent: readonly string[],
  position: Position,
  table: string,
): Position {
  if (position === 'first') return position;
  return { after: spelt(schema, [...parent, position.after], table).at(-1) ?? position.after };
}

function placed(
  fields: readonly Field[],
  field: Field,
  position: Position | undefined,
  path: readonly string[],
  table: string,
): Field[] {
  if (position === undefined) return [...fields, field];
  if (position === 'first') return [field, ...fields];
  const before = fieldNamed(fields, position.after, [...path, position.after], table);
  return fields.flatMap((one) => (one === before ? [one, field] : [one]));
}

function namedField({ schema }: Metadata, path: readonly string[], table: string): Field {
  const field = fieldAt(schema, path, table);
  if (field !== undefined) return field;
  throw refused(table, path, 'is part of a list or a map, and has no name of its own', 'Name a column, or a field of a struct.'); // prettier-ignore
}

function hasNotNull({ nullable, type }: Field): boolean {
  return !nullable || (type.kind === 'struct' && type.fields.some(hasNotNull));
}

/** Columns that are computed have a type that belongs to how. */
function checkNotComputed(field: Field | undefined, path: readonly string[], table: string): void {
  const key = Object.keys(field?.metadata ?? {}).find((one) => /^delta\.(generationExpression|identity\.)/.test(one));
  if (key === undefined) return;
  throw refused(table, path, `cannot be widened: its values are computed (${key})`, 'Write a new column.');
}

function unmapped(table: string, path: readonly string[], verb: string): SluiceError {
  return new SluiceError('UNSUPPORTED_FEATURE', `${table}: ${pathText(path)} cannot be ${verb}: its data files go by its name`, {
    advice: `Switch column mapping on first: set the table property delta.columnMapping.mode to name (sluice table properties … --set delta.columnMapping.mode=name).`,
    facts: { table, column: pathText(path), features: ['columnMapping'] },
  }); // prettier-ignore
}

function refused(table: string, path: readonly string[], why: string, advice: string): SluiceError {
  return new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${pathText(path)} ${why}`, {
    advice,
    facts: { table, column: pathText(path) },
  });
}
