/**
 * A result as text for people or programs, batch by batch.
 *
 * Promise: memory holds a batch at a time, and the next one is asked for only when the writer has taken the last: a slow reader slows
 * the query down.
 */
import type { ResultStream } from '../../engine/session.ts';
import { writeCsv } from './csv.ts';
import { writeJson, writeJsonLines } from './json.ts';
import { writeTable, type TableOptions } from './table.ts';
import type { Write } from './write.ts';

export const FORMATS = ['table', 'json', 'jsonl', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * Writes a result.
 * @param options for `table` alone
 * @returns the number of rows of the result, also of those that `table` did not show
 * @example await writeResult(query, 'jsonl', async (text) => { process.stdout.write(text); })
 */
export function writeResult(
  result: ResultStream,
  format: Format,
  write: Write,
  options: TableOptions = {},
): Promise<number> {
  switch (format) {
    case 'table':
      return writeTable(result, write, options);
    case 'json':
      return writeJson(result, write);
    case 'jsonl':
      return writeJsonLines(result, write);
    case 'csv':
      return writeCsv(result, write);
  }
}
