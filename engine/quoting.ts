/** How names and texts are written into SQL, so that no value can ever be read as SQL. */

/** A name for SQL. @example quoteIdent('order "id"') // '"order ""id"""' */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal for SQL. @example quoteString("it's") // "'it''s'" */
export function quoteString(text: string): string {
  const literal = `'${text.replaceAll("'", "''")}'`;
  // DuckDB takes the text of a statement to end at a NUL.
  return literal.includes('\0') ? `(${literal.replaceAll('\0', "' || chr(0) || '")})` : literal;
}

/**
 * A file for SQL, as it stands: DuckDB reads `*`, `?` and `[` in a path as a pattern.
 * @example quoteFile('lake/a[1].parquet') // "'lake/a[[]1].parquet'"
 */
export function quoteFile(path: string): string {
  return quoteString(path.replaceAll(/[*?[]/g, '[$&]'));
}
