/**
 * Partition values: which columns can have them, and their text in the log.
 *
 * Promise: a value comes back as it went in, but for the empty string, which Delta makes NULL. Instants are written with
 * their zone, so that a reader in another time zone does not shift them. Source: Delta protocol, "Partition Value
 * Serialization".
 */
import { SluiceError } from '../core/errors.ts';
import type { Field, StructType } from '../core/schema.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import { duckdbType } from '../engine/types.ts';

/** @throws SluiceError `SCHEMA_INCOMPATIBLE` */
export function checkPartitionColumns(schema: StructType, partitionColumns: readonly string[], table: string): void {
  const refuse = (message: string, column: string): never => {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${message}`, {
      advice: 'Change PARTITIONED BY.',
      facts: { table, column },
    });
  };
  for (const [i, name] of partitionColumns.entries()) {
    const type = schema.fields.find((field) => field.name === name)?.type;
    if (type === undefined) refuse(`cannot be partitioned by ${name}: there is no such column`, name);
    const usable = type?.kind === 'decimal' || (type?.kind === 'primitive' && type.name !== 'binary');
    if (!usable) refuse(`cannot be partitioned by ${name}: its type has no text in the log`, name);
    if (partitionColumns.indexOf(name) !== i) refuse(`is partitioned by ${name} twice`, name);
  }
  if (partitionColumns.length > 0 && partitionColumns.length === schema.fields.length) {
    refuse('needs a column that is not a partition column', partitionColumns.join(', '));
  }
}

/** SQL for the text of a partition column, NULL for what the log has as null. */
export function partitionText({ name, type }: Field): string {
  const column = quoteIdent(name);
  const kind = type.kind === 'primitive' ? type.name : type.kind;
  switch (kind) {
    case 'timestamp':
      return `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%fZ')`;
    case 'timestamp_ntz':
      return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')`;
    case 'float':
    case 'double':
      return `CASE WHEN isnan(${column}) THEN 'NaN' WHEN isinf(${column}) THEN if(${column} > 0, 'Infinity', '-Infinity') ELSE CAST(${column} AS VARCHAR) END`;
    default:
      return `nullif(CAST(${column} AS VARCHAR), '')`;
  }
}

/** SQL for a partition value of the log, in the column's type. */
export function partitionLiteral(value: string | null | undefined, field: Field): string {
  const text = value === null || value === undefined || value === '' ? 'NULL' : quoteString(value);
  // A cast would take a backslash for the beginning of an escape, and refuse characters beyond ASCII.
  if (field.type.kind === 'primitive' && field.type.name === 'binary') return `encode(${text})`;
  return `CAST(${text} AS ${duckdbType(field.type)})`;
}

/** How a table is partitioned, and how what comes is, for who has to choose. */
export function otherPartitions(table: string, is: readonly string[], wanted: readonly string[]): SluiceError {
  const shown = (columns: readonly string[]): string => (columns.length === 0 ? 'not' : `by ${columns.join(', ')}`);
  return new SluiceError(
    'SCHEMA_INCOMPATIBLE',
    `${table} is ${shown(is)} partitioned, and the rows ${shown(wanted)}`.replace('is by', 'is partitioned by'),
    {
      advice: 'Write PARTITIONED BY as the table has it, or delete the folder of the table to build it anew.',
      facts: { table, partitionColumns: is, wanted },
    },
  );
}

export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
