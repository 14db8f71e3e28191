/**
 * Statistics and partition values of files as columns of their own types, for checkpoints of tables that ask for them.
 *
 * Promise: pure; a bound that its column could not hold to the last digit is left out, never rounded.
 * Source: Delta protocol, "Checkpoints" (`delta.checkpoint.writeStatsAsStruct`, `…writeStatsAsJson`), "Checkpoint Schema".
 */
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../core/json.ts';
import { struct, type DataType, type StructType } from '../../core/schema.ts';
import { duckdbType } from '../../engine/types.ts';
import { clusteredBy } from '../clustering.ts';
import { mappingModeOf, physicalSchema } from '../column-mapping.ts';
import type { AddFile } from './actions.ts';
import { featuresOf } from './features.ts';
import { indexedColumns } from './indexed-columns.ts';
import { isOn } from './properties.ts';
import type { LogState } from './replay.ts';
import { hasBounds } from './stats.ts';

/** Digits that a number of JSON has for sure. */
const DIGITS = 15;

export interface StatsColumns {
  /** Fields of `add`, in the words of DuckDB's `from_json`. */
  readonly columns: JsonObject;
  /** What the fields have for a file. */
  readonly of: (file: AddFile) => JsonObject;
}

/** Whether checkpoints have the statistics as JSON. */
export function hasJsonStats({ metadata: { configuration } }: LogState): boolean {
  return configuration['delta.checkpoint.writeStatsAsJson']?.trim().toLowerCase() !== 'false';
}

/** A table that has only its statistics as JSON switched off would lose them otherwise, and with them how many rows its files have. */
function asksForColumns(state: LogState): boolean {
  const { configuration } = state.metadata;
  const key = 'delta.checkpoint.writeStatsAsStruct';
  return isOn(configuration, key) || (configuration[key] === undefined && !hasJsonStats(state));
}

/** Undefined for a table that does not ask for them. */
export function statsColumns(state: LogState, table: string): StatsColumns | undefined {
  const { protocol, metadata } = state;
  const { configuration, partitionColumns } = metadata;
  if (!asksForColumns(state)) return undefined;
  const mapping = mappingModeOf(protocol, metadata, table);
  const isPartition = ({ name }: { readonly name: string }): boolean => partitionColumns.includes(name);
  const inFiles = (fields: StructType['fields']): StructType => physicalSchema(struct(fields), mapping);
  const stored = inFiles(metadata.schema.fields.filter((one) => !isPartition(one)));
  const partitions = inFiles(metadata.schema.fields.filter(isPartition));
  const indexing = { partitionColumns, configuration, mapping, clusteredBy: clusteredBy(state.domains) };
  const isIndexed = indexedColumns(metadata.schema, indexing);
  const bounds = columnsOf(stored, [], isIndexed, (type) => (hasBounds(type) ? duckdbType(type) : undefined));
  const nulls = columnsOf(stored, [], isIndexed, () => 'BIGINT');
  const values = columnsOf(partitions, [], () => true, duckdbType);
  const stats: JsonObject = {
    numRecords: 'BIGINT',
    ...(bounds === undefined ? {} : { minValues: bounds, maxValues: bounds }),
    ...(nulls === undefined ? {} : { nullCount: nulls }),
    ...(featuresOf(protocol).has('deletionVectors') ? { tightBounds: 'BOOLEAN' } : {}),
  };
  return {
    columns: { ...(values === undefined ? {} : { partitionValues_parsed: values }), stats_parsed: stats },
    of: (file) => ({ partitionValues_parsed: partitionValuesOf(file), stats_parsed: parsed(file, stored) }),
  };
}

/** A struct without fields is no column. */
function columnsOf(
  { fields }: StructType,
  above: readonly string[],
  isIndexed: (path: readonly string[]) => boolean,
  column: (type: DataType) => string | undefined,
): JsonObject | undefined {
  const found = fields.flatMap(({ name, type }): [string, Json][] => {
    const path = [...above, name];
    const own = type.kind === 'struct' ? columnsOf(type, path, isIndexed, column) : isIndexed(path) ? column(type) : undefined;
    return own === undefined ? [] : [[name, own]];
  }); // prettier-ignore
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** The empty text is NULL, as everywhere in Delta. */
function partitionValuesOf({ partitionValues }: AddFile): JsonObject {
  return Object.fromEntries(Object.entries(partitionValues).map(([name, text]) => [name, text === '' ? null : text]));
}

function parsed({ stats = '' }: AddFile, schema: StructType): Json {
  const json = jsonOf(stats);
  if (!isJsonObject(json)) return null;
  return { ...json, minValues: exact(json['minValues'], schema), maxValues: exact(json['maxValues'], schema) };
}

/** What some writer wrote that is no JSON says nothing of the file. */
function jsonOf(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

/** A decimal as a text, which DuckDB takes to the last digit; nothing for NaN and infinity, which say nothing of where the others are. */
function exact(json: Json | undefined, type: DataType): Json {
  if (type.kind === 'struct') {
    if (!isJsonObject(json)) return null;
    const own = (name: string): Json | undefined => (Object.hasOwn(json, name) ? json[name] : undefined);
    return Object.fromEntries(type.fields.map((field) => [field.name, exact(own(field.name), field.type)]));
  }
  if (type.kind === 'primitive' && (type.name === 'float' || type.name === 'double')) return typeof json === 'number' || typeof json === 'bigint' ? json : null; // prettier-ignore
  if (type.kind !== 'decimal' || (typeof json !== 'number' && typeof json !== 'bigint')) return json ?? null;
  const text = String(json);
  const isWhole = typeof json === 'bigint' || (!text.includes('e') && text.replaceAll(/\D/g, '').replace(/^0+/, '').length <= DIGITS); // prettier-ignore
  return isWhole ? text : null;
}
