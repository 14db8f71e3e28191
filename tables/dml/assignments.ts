/** Which columns get which values: names as the table spells them. */
import { SluiceError } from '../../core/errors.ts';
import type { DataType, Field } from '../../core/schema.ts';
import { nameAdvice } from '../../core/suggest.ts';

/** Columns of the table, and SQL for their values; `'*'`: every column has the value of the source's column of that name. */
export type Assignments = '*' | Readonly<Record<string, string>>;

/** A column of the source; one of a type that no table has can be computed with, and not taken over. */
export interface SourceColumn {
  readonly name: string;
  readonly type: DataType | undefined;
}

/** What `*` stands for. */
export interface Star {
  readonly source: readonly SourceColumn[];
  /** Whether columns that the source lacks are just not set. */
  readonly isPartial: boolean;
  readonly value: (target: Field, source: SourceColumn) => string;
}

/**
 * The SQL of each column that is set.
 * @throws SluiceError `UNKNOWN_COLUMN` with the name that was meant, `SQL_INVALID` for a column that is set twice
 */
export function assigned(
  assignments: Assignments,
  fields: readonly Field[],
  star: Star,
  table: string,
): Map<string, string> {
  const names = fields.map(({ name }) => name);
  if (assignments === '*') {
    const bySource = new Map(star.source.map((column) => [column.name.toLowerCase(), column]));
    return new Map(
      fields.flatMap((field) => {
        const column = bySource.get(field.name.toLowerCase());
        if (column !== undefined) return [[field.name, star.value(field, column)] as const];
        if (star.isPartial) return [];
        throw unknownColumn(
          `the source has no column ${field.name}`,
          field.name,
          star.source.map(({ name }) => name),
          table,
        );
      }),
    );
  }
  const found = new Map<string, string>();
  for (const [column, value] of Object.entries(assignments)) {
    const name = names.find((one) => one.toLowerCase() === column.toLowerCase());
    if (name === undefined) throw unknownColumn(`${table} has no column ${column}`, column, names, table);
    if (found.has(name)) throw new SluiceError('SQL_INVALID', `${table}: the column ${name} is set twice`);
    found.set(name, value);
  }
  return found;
}

function unknownColumn(message: string, column: string, there: readonly string[], table: string): SluiceError {
  return new SluiceError('UNKNOWN_COLUMN', message, {
    advice: nameAdvice(column, there),
    facts: { table, column },
  });
}

/** For statements that have no source. */
export const NO_SOURCE: Star = { source: [], isPartial: false, value: () => 'NULL' };
