import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, parseJson, stringifyJson, type Json, type JsonObject } from '../../../core/json.ts';
import { quoteFile } from '../../../engine/quoting.ts';
import { textOf } from '../../../engine/values.ts';
import { readCheckpointRows } from '../../../tables/log/checkpoint-rows.ts';
import { Lab } from './tables.ts';

let lab: Lab;
let folder: string;

beforeAll(async () => {
  lab = await Lab.open();
  folder = await mkdtemp(join(tmpdir(), 'sluice-checkpoint-'));
});

afterAll(async () => {
  await lab.close();
  await rm(folder, { recursive: true });
});

/** The rows of a query as a checkpoint, read back; and as DuckDB's own JSON says them. Both sorted, without what is null. */
async function read(query: string): Promise<{ rows: string[]; plain: string[] }> {
  const file = join(folder, 'checkpoint.parquet');
  await lab.session.run(`COPY (${query}) TO ${quoteFile(file)} (FORMAT parquet)`);
  const rows: JsonObject[] = [];
  for await (const some of readCheckpointRows(lab.session, file)) rows.push(...some);
  const plain = await lab.session.rows(`SELECT CAST(to_json(t) AS VARCHAR) AS json FROM read_parquet('${file}') AS t`);
  const texts = (all: readonly Json[]): string[] => all.map((row) => stringifyJson(withoutNull(row))).sort();
  return { rows: texts(rows), plain: texts(plain.map(({ json }) => parseJson(textOf(json)))) };
}

function withoutNull(json: Json): Json {
  if (!isJsonObject(json)) return json;
  const members = Object.entries(json).flatMap(([key, value]) => {
    return value === null || value === undefined ? [] : [[key, withoutNull(value)] as const];
  });
  return Object.fromEntries(members);
}

const NO_MAP = 'MAP {}::MAP(VARCHAR, VARCHAR)';

describe('the rows of a checkpoint', () => {
  it('are those that the JSON of the whole rows gives, for every kind of action', async () => {
    const { rows, plain } = await read(
      `SELECT {minReaderVersion: 1, minWriterVersion: 2} AS protocol
       UNION ALL BY NAME SELECT {id: 'x', partitionColumns: ['a'], configuration: MAP {'k': 'v'}} AS metaData
       UNION ALL BY NAME SELECT {appId: 'app', version: 9007199254740993::BIGINT} AS txn
       UNION ALL BY NAME SELECT {path: 'gone', deletionTimestamp: 5::BIGINT, dataChange: true, partitionValues: ${NO_MAP},
         size: 9223372036854775807::BIGINT} AS remove
       UNION ALL BY NAME SELECT {path: 'a', partitionValues: MAP {'a': NULL, 'b': '', 'ü "': '\\'}, size: 9223372036854775806::BIGINT,
         modificationTime: 1767225600000::BIGINT, dataChange: false, stats: '{"numRecords":3}', tags: MAP {'t': '1'},
         deletionVector: {storageType: 'u', pathOrInlineDv: 'ab', "offset": 4, sizeInBytes: 30, cardinality: 2::BIGINT}} AS add
       UNION ALL BY NAME SELECT {path: 'b', partitionValues: ${NO_MAP}, size: 0::BIGINT, modificationTime: -1::BIGINT, dataChange: true} AS add`,
    );
    expect(rows).toEqual(plain);
    expect(rows).toHaveLength(6);
  });

  it.each([
    ['an empty text', `''`],
    ['what stands between the fields', `'a' || chr(1) || 'b'`],
    ['a text that looks like JSON', `'"a"'`],
    ['lines, tabs and characters beyond the basic plane', `'{' || chr(10) || chr(9) || '"a": "😀ü"}'`],
    ['NULL', 'NULL::VARCHAR'],
  ])('keep %s as it is', async (_, text) => {
    const { rows, plain } = await read(
      `SELECT {path: 'a' || range, stats: ${text}, size: range} AS add FROM range(3) UNION ALL BY NAME SELECT {path: ${text}} AS remove`,
    );
    expect(rows).toEqual(plain);
  });

  it('come whole from a writer that has other types', async () => {
    const { rows, plain } = await read(
      `SELECT {path: 'a', size: 7::INTEGER, modificationTime: 1.5::DOUBLE, dataChange: 'true', stats: 5} AS add`,
    );
    expect(rows).toEqual(plain);
  });

  it('come whole where the types are none of Delta', async () => {
    const { rows, plain } = await read(`SELECT {path: 'a', size: 7::UBIGINT, seen: TIME '01:02:03'} AS add`);
    expect(rows).toEqual(plain);
  });

  it('have statistics as a struct only where there is no text of them', async () => {
    const stats = `stats_parsed: {numRecords: 4::BIGINT, minValues: {id: 9007199254740993::BIGINT}}`;
    const { rows } = await read(
      `SELECT {path: 'a', stats: '{}', ${stats}} AS add UNION ALL SELECT {path: 'b', stats: NULL, ${stats}} AS add`,
    );
    expect(rows).toEqual([
      `{"add":{"path":"a","stats":"{}"}}`,
      `{"add":{"path":"b","stats_parsed":{"numRecords":4,"minValues":{"id":9007199254740993}}}}`,
    ]);
  });

  it('come once each from a file that takes several looks', async () => {
    const { rows } = await read(
      `SELECT {path: 'f' || range, partitionValues: MAP {'p': range::VARCHAR}, size: range} AS add FROM range(40000)`,
    );
    expect(new Set(rows).size).toBe(40_000);
    expect(rows).toContain('{"add":{"path":"f39999","partitionValues":{"p":"39999"},"size":39999}}');
  });

  it('of an empty file are none', async () => {
    expect((await read(`SELECT {path: 'a'} AS add WHERE false`)).rows).toEqual([]);
  });
});
