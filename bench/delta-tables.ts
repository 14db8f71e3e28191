/** Tables for the bench `delta`: a log of many files that do not exist, and a table of many small files that do. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import { field, primitive, struct } from '../core/schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteFile, quoteString } from '../engine/quoting.ts';
import { DeltaTable, type AddFile } from '../tables/index.ts';

const SCHEMA = struct([field('id', primitive('long')), field('customer', primitive('string'))]);
const SCHEMA_TEXT = JSON.stringify({
  type: 'struct',
  fields: [
    { name: 'id', type: 'long', nullable: true, metadata: {} },
    { name: 'customer', type: 'string', nullable: true, metadata: {} },
  ],
});

/** Rows of each file of `manyFiles`. */
export const ROWS_PER_FILE = 1000;

/** A checkpoint of `files` files at version 1, and after it `commits` entries that each add one. */
export async function manyAdds(engine: Engine, location: string, files: number, commits: number): Promise<void> {
  const log = join(location, '_delta_log');
  await mkdir(log, { recursive: true });
  const protocol = { minReaderVersion: 1, minWriterVersion: 2 };
  const format = { provider: 'parquet', options: {} };
  const id = '6f1f4b0e-0000-4000-8000-000000000001';
  const metaData = { id, format, schemaString: SCHEMA_TEXT, partitionColumns: [], configuration: {}, createdTime: 0 };
  await writeFile(entry(log, 0), `${JSON.stringify({ protocol })}\n${JSON.stringify({ metaData })}\n`);
  await writeFile(entry(log, 1), `${JSON.stringify({ commitInfo: { timestamp: 0, operation: 'WRITE' } })}\n`);
  const session = await engine.session();
  const file = quoteFile(join(log, `${version(1)}.checkpoint.parquet`));
  const strings = 'MAP {}::MAP(VARCHAR, VARCHAR)';
  await session.run(
    `COPY (
       SELECT {minReaderVersion: 1, minWriterVersion: 2} AS protocol, NULL AS metaData, NULL AS add
       UNION ALL BY NAME
       SELECT {id: ${quoteString(id)}, format: {provider: 'parquet', options: ${strings}},
         schemaString: ${quoteString(SCHEMA_TEXT)}, partitionColumns: []::VARCHAR[], configuration: ${strings},
         createdTime: 0::BIGINT} AS metaData
       UNION ALL BY NAME
       SELECT {path: 'part-' || range || '-0f8fad5b-d9cb-469f-a165-70867728950e.snappy.parquet',
         partitionValues: ${strings}, size: 1000000::BIGINT, modificationTime: 1767225600000::BIGINT, dataChange: false,
         stats: format('{{"numRecords":1000,"minValues":{{"id":{0},"customer":"a"}},"maxValues":{{"id":{1},"customer":"z"}},"nullCount":{{"id":0,"customer":0}}}}', range * 1000, range * 1000 + 999)} AS add
       FROM range(${String(files)})
     ) TO ${file} (FORMAT parquet)`,
  );
  session.close();
  await writeFile(join(log, '_last_checkpoint'), JSON.stringify({ version: 1, size: files + 2 }));
  for (let i = 2; i < commits + 2; i++) {
    const low = (files + i) * 1000;
    const stats = JSON.stringify({ numRecords: 1000, minValues: { id: low }, maxValues: { id: low + 999 } });
    const path = `part-new-${String(i)}.parquet`;
    const add = { path, partitionValues: {}, size: 1000000, modificationTime: 1767225600000, dataChange: true, stats };
    await writeFile(entry(log, i), `${JSON.stringify({ add })}\n`);
  }
}

/** `files` files of `ROWS_PER_FILE` rows; ids rise from file to file. */
export async function manyFiles(engine: Engine, location: string, files: number): Promise<void> {
  const table = DeltaTable.at(location, { engine });
  const session = await engine.session();
  const add: AddFile[] = [];
  for (let i = 0; i < files; i++) {
    const query = `SELECT ${String(i * ROWS_PER_FILE)} + range AS id, 'customer-' || range AS customer FROM range(${String(ROWS_PER_FILE)})`;
    add.push(...(await table.stage(session, query, { schema: SCHEMA, partitionColumns: [] })));
  }
  const result = await table.commit({ operation: 'WRITE', mode: 'append', add, schema: SCHEMA });
  session.close();
  if (result.kind === 'conflict') throw new SluiceError('INTERNAL', `${location}: the commit was lost`);
}

/** Rows from `first` on, as a Parquet file that both sides read. */
export async function rowsFile(engine: Engine, file: string, first: number, rows: number): Promise<void> {
  const session = await engine.session();
  await session.run(
    `COPY (SELECT ${String(first)} + range AS id, 'customer-' || (range * 7919 % 1000) AS customer,
       (range % 10000) / 100.0::DOUBLE AS amount FROM range(${String(rows)})) TO ${quoteFile(file)} (FORMAT parquet)`,
  );
  session.close();
}

function entry(log: string, number: number): string {
  return join(log, `${version(number)}.json`);
}

function version(number: number): string {
  return String(number).padStart(20, '0');
}
