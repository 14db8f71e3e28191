/** A result as CSV. Source: RFC 4180, with a header line. NULL is an empty field, and an empty text is `""`. */
import type { ResultStream } from '../../engine/session.ts';
import { toText } from './values.ts';
import type { Write } from './write.ts';

export async function writeCsv(result: ResultStream, write: Write): Promise<number> {
  const { columns } = result;
  let rows = 0;
  await write(`${columns.map(({ name }) => quoted(name)).join(',')}\r\n`);
  for await (const batch of result.batches()) {
    rows += batch.length;
    const lines = batch.map((row) =>
      columns
        .map(({ type }, i) => {
          const value = row[i] ?? null;
          return value === null ? '' : quoted(toText(value, type));
        })
        .join(','),
    );
    await write(lines.map((line) => `${line}\r\n`).join(''));
  }
  return rows;
}

function quoted(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
