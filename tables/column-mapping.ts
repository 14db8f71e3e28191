/**
 * Columns whose names in the data files are others than in the schema, so that they can be renamed and dropped.
 *
 * Promise: pure; a table without column mapping is left as it is. Columns are found by their physical names in both modes,
 * since whoever writes by id writes those names too (`field-ids.ts` refuses other files). Source: Delta protocol, "Column Mapping".
 */
import { SluiceError } from '../core/errors.ts';
import { stringifyJson, type Json } from '../core/json.ts';
import { fieldsIn, struct, type DataType, type Field, type StructType } from '../core/schema.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import type { Metadata, Protocol } from './log/actions.ts';
import { mappingSetting } from './log/properties.ts';

export type MappingMode = 'none' | 'name' | 'id';

export const PHYSICAL_NAME = 'delta.columnMapping.physicalName';
export const COLUMN_ID = 'delta.columnMapping.id';

/** @throws SluiceError `UNSUPPORTED_FEATURE` for a mode that sluice does not know */
export function mappingModeOf(protocol: Protocol, { configuration }: Metadata, table: string): MappingMode {
  const isSupported = protocol.minReaderVersion === 2 || protocol.readerFeatures?.includes('columnMapping') === true;
  const mode = mappingSetting(configuration);
  if (!isSupported || mode === 'none') return 'none';
  if (mode === 'name' || mode === 'id') return mode;
  throw new SluiceError('UNSUPPORTED_FEATURE', `${table} cannot be read: its column mapping is ${mode}`, {
    advice: 'Use an engine that has this mode.',
    facts: { table, features: ['columnMapping'] },
  });
}

/** The name of a column, or of a field of a struct, in data files, statistics and partition values. */
export function physicalName(field: Field, mode: MappingMode): string {
  const name = mode === 'none' ? undefined : field.metadata[PHYSICAL_NAME];
  return typeof name === 'string' ? name : field.name;
}

/** The id of a column in data files. */
export function columnId(field: Field): number | undefined {
  const id = field.metadata[COLUMN_ID];
  return typeof id === 'number' ? id : undefined;
}

/** Whether a key of a column's metadata is only about its place in data files. */
export function isMappingKey(key: string): boolean {
  return key === PHYSICAL_NAME || key === COLUMN_ID;
}

/** What a table says of its columns' names in data files: the same for files that can stand side by side. Empty without column mapping. */
export function mappingKey(schema: StructType, mode: MappingMode): string {
  return mode === 'none' ? '' : stringifyJson([mode, namesIn(schema)]);
}

function namesIn(type: DataType): Json {
  switch (type.kind) {
    case 'struct':
      return type.fields.map((field) => [
        field.name,
        field.metadata[PHYSICAL_NAME] ?? null,
        columnId(field) ?? null,
        namesIn(field.type),
      ]);
    case 'array':
      return namesIn(type.element);
    case 'map':
      return [namesIn(type.key), namesIn(type.value)];
    case 'decimal':
    case 'primitive':
      return null;
  }
}

/** The schema as data files have it. */
export function physicalSchema(schema: StructType, mode: MappingMode): StructType {
  return mode === 'none' ? schema : struct(schema.fields.map((field) => physicalField(field, mode)));
}

function physicalField(field: Field, mode: MappingMode): Field {
  return { ...field, name: physicalName(field, mode), type: physicalType(field.type, mode) };
}

function physicalType(type: DataType, mode: MappingMode): DataType {
  switch (type.kind) {
    case 'struct':
      return physicalSchema(type, mode);
    case 'array':
      return { ...type, element: physicalType(type.element, mode) };
    case 'map':
      return { ...type, key: physicalType(type.key, mode), value: physicalType(type.value, mode) };
    case 'decimal':
    case 'primitive':
      return type;
  }
}

/** A column, or a field of a struct, that is no struct itself. */
export interface Leaf {
  readonly path: readonly string[];
  /** The same in data files and statistics. */
  readonly inFiles: readonly string[];
  readonly type: DataType;
}

/** All of them, in their order; what is inside of lists and maps is not told apart. */
export function leavesOf({ fields }: StructType, mode: MappingMode): Leaf[] {
  return fields.flatMap((field): Leaf[] => {
    const [name, inFile] = [field.name, physicalName(field, mode)];
    if (field.type.kind !== 'struct') return [{ path: [name], inFiles: [inFile], type: field.type }];
    return leavesOf(field.type, mode).map(({ path, inFiles, type }) => {
      return { path: [name, ...path], inFiles: [inFile, ...inFiles], type };
    });
  });
}

/**
 * SQL for a value with the names of the schema, from one with the names of the data files; or the other way.
 * @param value SQL; it is repeated
 */
export function renamed(
  value: string,
  type: DataType,
  mode: MappingMode,
  to: 'schema' | 'files' = 'schema',
  depth = 0,
): string {
  if (mode === 'none' || fieldsIn(type).length === 0) return value;
  const item = `x${String(depth)}`;
  const inside = (part: string, partType: DataType): string => renamed(part, partType, mode, to, depth + 1);
  switch (type.kind) {
    case 'struct': {
      const fields = type.fields.map((field) => {
        const names = [physicalName(field, mode), field.name] as const;
        const [from, wanted] = to === 'schema' ? names : [names[1], names[0]];
        return `${quoteIdent(wanted)} := ${inside(`struct_extract(${value}, ${quoteString(from)})`, field.type)}`;
      });
      return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`;
    }
    case 'array':
      return `list_transform(${value}, lambda ${item}: ${inside(item, type.element)})`;
    case 'map': {
      const entry = `struct_pack(k := ${inside(`${item}.key`, type.key)}, v := ${inside(`${item}.value`, type.value)})`;
      return `CASE WHEN ${value} IS NOT NULL THEN map_from_entries(list_transform(map_entries(${value}), lambda ${item}: ${entry})) END`;
    }
    case 'decimal':
    case 'primitive':
      return value;
  }
}
