/** How names and texts are written into SQL, so that no value can ever be read as SQL. */

/** A name for SQL. @example quoteIdent('order "id"') // '"order ""id"""' */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal for SQL. @example quoteString("it's") // "'it''s'" */
export function quoteString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
