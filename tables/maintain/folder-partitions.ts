/**
 * Partition values from the names of folders, as Hive and Spark write them: `day=2026-01-01/name=a%2Fb/…`.
 *
 * Promise: every file has a value for each column, of the type that was given, or is refused by its path; the texts are those that our own
 * writer gives to the values. Source: Spark, `PartitioningUtils`.
 */
import { SluiceError } from '../../core/errors.ts';
import { typeName, type Field } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { duckdbType } from '../../engine/types.ts';
import { textOf } from '../../engine/values.ts';
import type { PartitionValues } from '../log/actions.ts';
import { partitionText } from '../partitions.ts';

/** What Hive writes for NULL. */
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__';
const RAW = '__sluice_raw';

/**
 * The partition values of each file.
 * @throws SluiceError `SCHEMA_INCOMPATIBLE` naming the file
 */
export async function partitionsOfPaths(
  session: Session,
  paths: readonly string[],
  fields: readonly Field[],
  table: string,
): Promise<readonly PartitionValues[]> {
  const raw = paths.map((path) => rawValues(path, fields, table));
  if (fields.length === 0) return raw.map(() => ({}));
  const texts = new Map<string, string | null>();
  for (const [i, field] of fields.entries()) {
    const values = [...new Set(raw.map((row) => row[i] ?? null))];
    for (const [text, written] of await asWritten(session, field, values, table))
      texts.set(`${String(i)}\n${text}`, written);
  }
  return raw.map((row) =>
    Object.fromEntries(
      fields.map(({ name }, i) => {
        const value = row[i] ?? null;
        return [name, value === null ? null : (texts.get(`${String(i)}\n${value}`) ?? null)];
      }),
    ),
  );
}

/** The values of the folders next to the file, the outermost first. */
function rawValues(path: string, fields: readonly Field[], table: string): (string | null)[] {
  const folders = path.split('/').slice(0, -1);
  const from = folders.findLastIndex((folder) => !folder.includes('=')) + 1;
  const pairs = folders.slice(from).map((folder) => {
    const at = folder.indexOf('=');
    return [unescaped(folder.slice(0, at)), unescaped(folder.slice(at + 1))] as const;
  });
  const names = pairs.map(([name]) => name);
  const fits =
    names.length === fields.length && fields.every(({ name }, i) => name.toLowerCase() === names[i]?.toLowerCase());
  if (fits) return pairs.map(([, value]) => (value === NULL_FOLDER || value === '' ? null : value));
  const wanted = fields.length === 0 ? 'none were named' : `${fields.map(({ name }) => name).join(', ')} were named`;
  throw new SluiceError(
    'SCHEMA_INCOMPATIBLE',
    `${table}/${path} lies in folders with the partition columns ${names.length === 0 ? 'none' : names.join(', ')}, and ${wanted}`,
    {
      advice:
        'Nothing was changed. Name all partition columns with their types, from the outermost folder on: "day DATE, country STRING".',
      facts: { table, file: path, partitionColumns: names },
    },
  );
}

function unescaped(folder: string): string {
  return folder.replaceAll(/(?:%[\da-f]{2})+/gi, (codes) => {
    const text = Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8');
    return text.includes('\ufffd') ? codes : text;
  });
}

/** The values as our own writer would write them. */
async function asWritten(
  session: Session,
  field: Field,
  values: readonly (string | null)[],
  table: string,
): Promise<(readonly [string, string | null])[]> {
  const texts = values.filter((value) => value !== null);
  if (texts.length === 0) return [];
  const column = quoteIdent(field.name);
  const rows = await session.rows(
    `SELECT ${RAW} AS raw, ${partitionText(field)} AS written FROM (SELECT ${RAW}, TRY_CAST(${RAW} AS ${duckdbType(field.type)}) AS ${column} FROM (VALUES ${texts.map((text) => `(${quoteString(text)})`).join(', ')}) AS v(${RAW}))`,
  );
  return rows.map(({ raw, written }) => {
    const text = textOf(raw);
    if (typeof written === 'string') return [text, written] as const;
    throw new SluiceError(
      'SCHEMA_INCOMPATIBLE',
      `${table}: the folder ${field.name}=${text} is no ${typeName(field.type)}`,
      {
        advice: 'Nothing was changed. Give the column another type, or rename the folder.',
        facts: { table, column: field.name, value: text },
      },
    );
  });
}
