/**
 * Clustered tables: the columns by which OPTIMIZE puts rows in order, kept with the table and not with a command.
 *
 * Promise: pure; the columns are found whatever their case, by the names that data files have for them, so that a rename does not matter; each
 * has statistics in every file that is written. Source: Delta protocol, "Clustered Table"; Databricks, "Use liquid clustering for tables".
 */
import { SluiceError } from '../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson, type Json } from '../core/json.ts';
import type { StructType } from '../core/schema.ts';
import { fieldAt, partsOf, pathText, spelt, type ColumnPath } from './alter/path.ts';
import { leavesOf, mappingModeOf, physicalName, type Leaf, type MappingMode } from './column-mapping.ts';
import type { AddFile, DomainMetadata, Metadata } from './log/actions.ts';
import type { Described } from './log/features.ts';
import { indexedColumns } from './log/indexed-columns.ts';
import { hasBounds } from './log/stats.ts';

/** The domain that has the columns. */
export const CLUSTERING = 'delta.clustering';
/** What files say that sluice has put in order: others that cluster leave those alone, and sluice theirs. */
export const PROVIDER = 'sluice';
/** As Delta has it: each one more helps all of them less. */
const COLUMNS_MOST = 4;

type Domains = { get(domain: string): DomainMetadata | undefined } | undefined;

/** The columns that a table is clustered by, as paths in data files. */
export function clusteredBy(domains: Domains): string[][] {
  const text = domains?.get(CLUSTERING)?.configuration;
  const json = text === undefined ? undefined : parseJson(text);
  const columns = isJsonObject(json) ? json['clusteringColumns'] : undefined;
  if (!Array.isArray(columns)) return [];
  return (columns as readonly Json[]).map((path) => (Array.isArray(path) ? (path as readonly Json[]) : [path]).map(String));
} // prettier-ignore

/** The columns as the table names them; one that the table no longer has is left out. */
export function clusteringColumns(domains: Domains, schema: StructType, mapping: MappingMode): (readonly string[])[] {
  const leaves = leavesOf(schema, mapping);
  return clusteredBy(domains).flatMap((inFiles) => {
    const found = leafAt(leaves, inFiles);
    return found === undefined ? [] : [found.path];
  });
}

function leafAt(leaves: readonly Leaf[], inFiles: readonly string[]): Leaf | undefined {
  return leaves.find((leaf) => stringifyJson(leaf.inFiles) === stringifyJson(inFiles));
}

/** Whether OPTIMIZE may put the rows of a file in order, or write them anew otherwise. */
export function mayCluster({ clusteringProvider }: AddFile): boolean {
  return clusteringProvider === undefined || clusteringProvider === PROVIDER;
}

/**
 * What the table is to say of its clustering after a change; undefined where that is what it says now.
 * @param wanted the columns that it is to have; undefined: those that it has
 * @throws SluiceError `UNKNOWN_COLUMN`, `SCHEMA_INCOMPATIBLE` for columns that no table can be clustered by, or that it may not lose
 */
export function nextClustering(
  wanted: readonly ColumnPath[] | undefined,
  { protocol, metadata }: Described,
  domains: Domains,
  table: string,
): DomainMetadata | undefined {
  const mapping = mappingModeOf(protocol, metadata, table);
  const now = clusteredBy(domains);
  const next = wanted === undefined ? now : wanted.map((column) => pathInFiles(column, metadata, mapping, table));
  if (next.length > 0) checkClustering(next, metadata, mapping, table);
  if (stringifyJson(next) === stringifyJson(now)) return undefined;
  const configuration = stringifyJson({ clusteringColumns: next, domainName: CLUSTERING });
  return { domain: CLUSTERING, configuration, removed: false };
}

function pathInFiles(column: ColumnPath, { schema }: Metadata, mapping: MappingMode, table: string): string[] {
  const path = spelt(schema, partsOf(column, table), table);
  return path.map((part, i) => {
    const field = fieldAt(schema, path.slice(0, i + 1), table);
    return field === undefined ? part : physicalName(field, mapping);
  });
}

function checkClustering(paths: readonly (readonly string[])[], metadata: Metadata, mapping: MappingMode, table: string): void {
  const { schema, partitionColumns, configuration } = metadata;
  const refuse = (why: string, advice: string): never => {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${why}`, { advice, facts: { table } });
  };
  if (partitionColumns.length > 0)
    refuse(`it is partitioned by ${partitionColumns.join(', ')}, and a clustered table has no partitions`, 'Leave the columns out and use OPTIMIZE … ZORDER BY, write it anew without partitions, or end the clustering first: sluice table alter NAME --cluster-by none.');
  if (paths.length > COLUMNS_MOST)
    refuse(`it cannot be clustered by ${String(paths.length)} columns`, `Name ${String(COLUMNS_MOST)} at most: each one more helps all of them less.`);
  const isIndexed = indexedColumns(schema, { partitionColumns, configuration, mapping });
  const leaves = leavesOf(schema, mapping);
  const seen = new Set<string>();
  for (const path of paths) {
    const key = stringifyJson(path);
    if (seen.has(key)) refuse(`${pathText(path)} is there twice`, 'Leave one out.');
    seen.add(key);
    const leaf = leafAt(leaves, path);
    if (leaf === undefined) refuse(`it is clustered by a column that would be gone (${pathText(path)})`, 'Cluster it by other columns first: sluice table alter NAME --cluster-by none.');
    else if (!hasBounds(leaf.type)) refuse(`it cannot be clustered by ${pathText(path)}: the column has no order that statistics know`, 'Name columns with numbers, texts or times.');
    else if (!isIndexed(path)) refuse(`it cannot be clustered by ${pathText(path)}: the column has no statistics`, 'Add it to delta.dataSkippingStatsColumns, raise delta.dataSkippingNumIndexedCols, or cluster it by other columns first.');
  }
} // prettier-ignore
