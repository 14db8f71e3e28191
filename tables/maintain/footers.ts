/**
 * What the footers of Parquet files say: columns, rows, and the bounds of values, as Delta's statistics.
 *
 * Promise: no row is read; a bound that may be none (of text that was cut within a character, of times that nobody
 * understands) is left out.
 */
import { primitive, type StructType } from '../../core/schema.ts';
import type { ColumnStats } from '../../engine/parquet.ts';
import { quoteFile, quoteString } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { duckdbType } from '../../engine/types.ts';
import { textOf, type Row } from '../../engine/values.ts';
import { leavesOf, type Leaf } from '../column-mapping.ts';
import { indexedColumns } from '../log/indexed-columns.ts';
import { fileStats, hasBounds } from '../log/stats.ts';
import type { ParquetNode } from './parquet-schema.ts';

/** The nodes of the schema of each file, by its path on this machine. */
export async function schemasOf(session: Session, files: readonly string[]): Promise<Map<string, ParquetNode[]>> {
  const rows = await session.rows(`SELECT * FROM parquet_schema([${files.map(quoteFile).join(', ')}])`);
  const nodes = new Map<string, ParquetNode[]>();
  for (const row of rows) {
    const file = textOf(row['file_name']);
    nodes.set(file, [...(nodes.get(file) ?? []), nodeOf(row)]);
  }
  return nodes;
}

function nodeOf(row: Row): ParquetNode {
  const type = row['type'];
  const isLeaf = typeof type === 'string' && row['num_children'] === null;
  return {
    name: textOf(row['name']),
    type: isLeaf ? type : undefined,
    repetition: textOf(row['repetition_type']),
    children: Number(row['num_children'] ?? 0),
    convertedType: textOf(row['converted_type']),
    logicalType: textOf(row['logical_type']),
    precision: Number(row['precision'] ?? 0),
    scale: Number(row['scale'] ?? 0),
  };
}

export interface FooterStats {
  readonly rows: bigint;
  /** As in the log. */
  readonly stats: string;
}

/** The statistics of each file, by its path on this machine. */
export async function statsOf(
  session: Session,
  files: readonly string[],
  schema: StructType,
): Promise<Map<string, FooterStats>> {
  const list = `[${files.map(quoteFile).join(', ')}]`;
  const leaves = leavesIn(schema);
  const bounds = leaves.flatMap(({ path, type }, i) => {
    const here = `path_in_schema = ${quoteString(path.join(', '))}`;
    const value = (column: string): string =>
      `TRY_CAST(CASE WHEN ${here} AND NOT contains(${column}, '\\x') THEN ${column} END AS ${duckdbType(type)})`;
    const known = (column: string): string =>
      `count(*) FILTER (${here} AND ${value(column)} IS NULL AND coalesce(stats_null_count, 0) < num_values) = 0`;
    const bound = (of: 'min' | 'max'): string =>
      `CASE WHEN ${known(`stats_${of}_value`)} THEN ${of}(${value(`stats_${of}_value`)})::VARCHAR END AS ${of}${String(i)}`;
    const nulls = `CASE WHEN count(*) FILTER (${here} AND stats_null_count IS NULL) = 0 THEN sum(stats_null_count) FILTER (${here})::VARCHAR END AS nulls${String(i)}`;
    return [bound('min'), bound('max'), nulls];
  });
  const counted = `SELECT file_name, num_rows FROM parquet_file_metadata(${list})`;
  const found = `SELECT ${['file_name', ...bounds].join(', ')} FROM parquet_metadata(${list}) GROUP BY file_name`;
  const rows = await session.rows(`SELECT * FROM (${counted}) LEFT JOIN (${found}) USING (file_name)`);
  const isIndexed = indexedColumns(schema, { partitionColumns: [], configuration: {}, mapping: 'none' });
  return new Map(
    rows.map((row) => {
      const columns = leaves.map(({ path }, i): ColumnStats => {
        const [min, max, nulls] = [row[`min${String(i)}`], row[`max${String(i)}`], row[`nulls${String(i)}`]];
        return {
          path,
          ...(typeof min === 'string' ? { min } : {}),
          ...(typeof max === 'string' ? { max } : {}),
          ...(typeof nulls === 'string' ? { nullCount: BigInt(nulls) } : {}),
        };
      });
      const count = BigInt(textOf(row['num_rows']));
      return [textOf(row['file_name']), { rows: count, stats: fileStats({ rows: count, columns }, schema, isIndexed) }];
    }),
  );
}

/** Columns, and fields inside structs; what is inside lists and maps has no statistics. Those without bounds are texts: that will do to count NULLs. */
function leavesIn(schema: StructType): Pick<Leaf, 'path' | 'type'>[] {
  return leavesOf(schema, 'none').flatMap(({ path, type }) => {
    if (type.kind === 'array' || type.kind === 'map') return [];
    return [{ path, type: hasBounds(type) ? type : primitive('string') }];
  });
}
