/** Which columns get which values: names as the table spells them. */
import { SluiceError } from '../../core/errors.ts';
import type { Field } from '../../core/schema.ts';
import { nameAdvice } from '../../core/suggest.ts';
import { quoteIdent } from '../../engine/quoting.ts';

/** Columns of the table, and SQL for their values; `'*'`: every column has the value of the source's column of that name. */
export type Assignments = '*' | Readonly<Record<string, string>>;

/**
 * The SQL of each column that is set.
 * @param sourceColumns what `*` stands for
 * @throws SluiceError `UNKNOWN_COLUMN` with the name that was meant, `SQL_INVALID` for a column that is set twice
 */
export function assigned(
  assignments: Assignments,
  fields: readonly Field[],
  sourceColumns: readonly string[],
  table: string,
): Map<string, string> {
  const names = fields.map(({ name }) => name);
  if (assignments === '*') {
    const bySource = new Map(sourceColumns.map((name) => [name.toLowerCase(), name]));
    return new Map(
      names.map((name) => {
        const column = bySource.get(name.toLowerCase());
        if (column === undefined) throw unknownColumn(`the source has no column ${name}`, name, sourceColumns, table);
        return [name, `source.${quoteIdent(column)}`];
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
