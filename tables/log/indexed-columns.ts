/**
 * Which columns have statistics in the log: those that the table names, or else the first ones; and those that it is clustered by.
 *
 * Promise: pure; every field of a struct counts as a column, and so does a list or a map, which has no statistics.
 * Source: Databricks, "Table properties"; Delta, `StatisticsCollection`.
 */
import { SluiceError } from '../../core/errors.ts';
import { struct, type StructType } from '../../core/schema.ts';
import { leavesOf, type MappingMode } from '../column-mapping.ts';
import type { Properties } from './properties.ts';

const NUMBER = 'delta.dataSkippingNumIndexedCols';
const NAMED = 'delta.dataSkippingStatsColumns';
const NUMBER_DEFAULT = 32;

export interface Indexing {
  readonly partitionColumns: readonly string[];
  readonly configuration: Properties;
  readonly mapping: MappingMode;
  /** Paths in data files. */
  readonly clusteredBy?: readonly (readonly string[])[];
}

/** Whether the column at a path of names in data files has statistics. */
export function indexedColumns(schema: StructType, indexing: Indexing): (inFiles: readonly string[]) => boolean {
  const { partitionColumns, configuration, mapping, clusteredBy = [] } = indexing;
  const stored = schema.fields.filter(({ name }) => !partitionColumns.includes(name));
  const leaves = leavesOf(struct(stored), mapping);
  const names = namesIn(configuration);
  const number = numberIn(configuration);
  const chosen =
    names === undefined
      ? leaves.slice(0, number === -1 ? undefined : number)
      : leaves.filter(({ path }) => names.some((name) => leadsTo(name, path)));
  const keys = new Set([...chosen.map(({ inFiles }) => inFiles), ...clusteredBy].map((path) => JSON.stringify(path)));
  return (inFiles) => keys.has(JSON.stringify(inFiles));
}

/**
 * @param schema of the table that is to have the properties
 * @throws SluiceError `CONFIG_INVALID` for a number that is none, and for a name that no column has
 */
export function checkIndexing(schema: StructType, configuration: Properties, table: string): void {
  const refuse = (key: string, why: string, advice: string): never => {
    throw new SluiceError('CONFIG_INVALID', `${table}: ${key} is ${configuration[key] ?? ''}: ${why}`, {
      advice,
      facts: { table, property: key },
    });
  };
  const number = configuration[NUMBER];
  if (number !== undefined && !/^(-1|\d+)$/.test(number.trim()))
    refuse(NUMBER, 'it is a number of columns', 'Write 32, or -1 for all columns.');
  const leaves = leavesOf(schema, 'none');
  const unknown = namesIn(configuration)?.find((name) => !leaves.some(({ path }) => leadsTo(name, path)));
  if (unknown !== undefined)
    refuse(NAMED, `there is no column ${unknown.join('.')}`, 'Name columns of the table, with commas between them.');
}

/** Whether a name is that of a column, or of a struct that it is in. */
function leadsTo(name: readonly string[], path: readonly string[]): boolean {
  return name.every((part, i) => part.toLowerCase() === path[i]?.toLowerCase());
}

/** Names with commas between them, in backquotes where they have other characters; undefined where none are told. */
function namesIn(configuration: Properties): string[][] | undefined {
  const text = configuration[NAMED];
  if (text === undefined) return undefined;
  const names = text.match(/(?:`(?:[^`]|``)*`|[^,`])+/g) ?? [];
  return names
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => (name.match(/`(?:[^`]|``)*`|[^.`]+/g) ?? []).map(unquoted));
}

function unquoted(part: string): string {
  return part.startsWith('`') ? part.slice(1, -1).replaceAll('``', '`') : part.trim();
}

function numberIn(configuration: Properties): number {
  const text = configuration[NUMBER]?.trim() ?? '';
  return /^(-1|\d+)$/.test(text) ? Number(text) : NUMBER_DEFAULT;
}
