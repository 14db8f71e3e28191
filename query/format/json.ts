/** A result as JSON: one array of objects, or one object a line. A column name that comes again gets a number: `a`, `a_1`. */
import type { ResultStream } from '../../engine/session.ts';
import type { Value } from '../../engine/values.ts';
import { toJson } from './values.ts';
import type { Write } from './write.ts';

export async function writeJson(result: ResultStream, write: Write): Promise<number> {
  const toObject = objectWriter(result);
  let rows = 0;
  await write('[');
  for await (const batch of result.batches()) {
    const objects = batch.map((row, i) => `${rows + i === 0 ? '\n' : ',\n'}${toObject(row)}`);
    rows += batch.length;
    await write(objects.join(''));
  }
  await write(rows === 0 ? ']\n' : '\n]\n');
  return rows;
}

export async function writeJsonLines(result: ResultStream, write: Write): Promise<number> {
  const toObject = objectWriter(result);
  let rows = 0;
  for await (const batch of result.batches()) {
    rows += batch.length;
    await write(batch.map((row) => `${toObject(row)}\n`).join(''));
  }
  return rows;
}

function objectWriter({ columns }: ResultStream): (row: readonly Value[]) => string {
  const taken = new Set<string>();
  const keys = columns.map(({ name }) => {
    let unique = name;
    for (let i = 1; taken.has(unique); i++) unique = `${name}_${String(i)}`;
    taken.add(unique);
    return JSON.stringify(unique);
  });
  return (row) => `{${columns.map(({ type }, i) => `${keys[i] ?? ''}:${toJson(row[i] ?? null, type)}`).join(',')}}`;
}
