/** `--using`: where the rows of a verb come from. */

/** For the help of every verb that takes it. */
export const USING = 'a query, a table as bronze.changes, or the path of a table or file';

/** A name or a path is all rows of that table or file. @example queryOf('bronze.changes') // 'FROM bronze.changes' */
export function queryOf(using: string): string {
  const text = using.trim();
  if (/^[\p{L}_][\p{L}\p{N}_]*\.[\p{L}_][\p{L}\p{N}_]*$/u.test(text)) return `FROM ${text}`;
  if (/^[^\s'"();]+\.(parquet|csv|tsv|json|jsonl|ndjson)(\.(gz|zst))?$/i.test(text)) return `FROM '${text}'`;
  if (/^[^\s'"();]*\/[^\s'"();]*$/.test(text)) return `FROM delta_scan('${text}')`;
  return using;
}
