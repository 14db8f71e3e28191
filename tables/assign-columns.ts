/**
 * Which columns of a table get which ids and names in data files, when column mapping is on.
 *
 * Promise: pure, and the same for the same state of a table: files that are staged before a commit have the names that the commit gives.
 * An id is never given twice, also when its column is dropped. Source: Delta protocol, "Column Mapping"; Delta, `DeltaColumnMapping`.
 */
import { createHash } from 'node:crypto';
import { SluiceError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { fieldsIn, sameType, struct, type DataType, type Field, type StructType } from '../core/schema.ts';
import { COLUMN_ID, columnId, isMappingKey, PHYSICAL_NAME, type MappingMode } from './column-mapping.ts';
import type { Metadata } from './log/actions.ts';
import { MAPPING_MODE, mappingSetting } from './log/properties.ts';
import { canWiden } from './widening.ts';

const MAX_ID = 'delta.columnMapping.maxColumnId';

export interface Before {
  readonly metadata: Metadata;
  readonly mode: MappingMode;
}

/**
 * A schema with an id and a name in data files for each column that has none yet: those of the table's column of that name, or new ones.
 * @example withColumnIds(rows, snapshot.metadata)
 */
export function withColumnIds(schema: StructType, current: Metadata): StructType {
  return assigned(schema, current.schema, {
    tableId: current.id,
    maxId: maxIdOf(schema, current),
    isNamed: false,
    isKnownFirst: true,
  }).schema;
}

/**
 * All that a table says of itself from then on, with what column mapping asks for.
 * @param before undefined for a table that is to be created, or replaced as a whole
 * @param come.hasFiles whether data files come with it: those that were staged before there was a mapping have the names of the schema
 * @param come.asWritten whether the schema is the whole one, and not that of rows
 * @throws SluiceError `UNSUPPORTED_FEATURE` for a mode that the table cannot change to
 */
export function mappedMetadata(
  next: Metadata,
  before: Before | undefined,
  come: { readonly hasFiles: boolean; readonly asWritten: boolean },
  table: string,
): Metadata {
  const { hasFiles } = come;
  const mode = mappingSetting(next.configuration);
  if (before !== undefined && before.mode !== mode) checkSwitch(before, mode, table);
  if (mode === 'none') {
    const had = before !== undefined && isMapped(before.metadata.schema);
    return had || !isMapped(next.schema) ? next : { ...next, schema: withoutMapping(next.schema) };
  }
  if (before === undefined && hasFiles && mode === 'id') throw filesWithoutIds(table);
  const isNamed = before === undefined ? hasFiles : before.mode === 'none';
  const own = before === undefined && hasFiles ? withoutMapping(next.schema) : next.schema;
  const maxId = Math.max(
    maxIdOf(own, next),
    before === undefined ? 0 : maxIdOf(before.metadata.schema, before.metadata),
  );
  const current = before?.mode === mode ? before.metadata.schema : struct([]);
  const found = assigned(own, current, { tableId: next.id, maxId, isNamed, isKnownFirst: !come.asWritten });
  const isSame = found.schema === next.schema && next.configuration[MAX_ID] === String(found.maxId);
  if (isSame) return next;
  return { ...next, schema: found.schema, configuration: { ...next.configuration, [MAX_ID]: String(found.maxId) } };
}

function maxIdOf(schema: StructType, { configuration }: Metadata): number {
  return Math.max(0, Number(configuration[MAX_ID] ?? 0) || 0, ...idsIn(schema));
}

interface Assigning {
  readonly tableId: string;
  /** The highest id that was ever given. */
  readonly maxId: number;
  /** Whether columns are named in data files as in the schema. */
  readonly isNamed: boolean;
  /** Whether new ids go by the order that columns have once those of the rows are added to those of the table, and not by the schema's. */
  readonly isKnownFirst: boolean;
}

function assigned(schema: StructType, current: StructType, from: Assigning): { schema: StructType; maxId: number } {
  let maxId = from.maxId;
  const inType = (type: DataType, before: DataType | undefined, path: readonly string[]): DataType => {
    if (type.kind === 'struct') return inStruct(type, before?.kind === 'struct' ? before : struct([]), path);
    if (type.kind === 'array') {
      const element = inType(type.element, before?.kind === 'array' ? before.element : undefined, [...path, 'element']);
      return element === type.element ? type : { ...type, element };
    }
    if (type.kind === 'map') {
      const [oldKey, oldValue] = before?.kind === 'map' ? [before.key, before.value] : [];
      const key = inType(type.key, oldKey, [...path, 'key']);
      const value = inType(type.value, oldValue, [...path, 'value']);
      return key === type.key && value === type.value ? type : { ...type, key, value };
    }
    return type;
  };
  const inStruct = (type: StructType, before: StructType, path: readonly string[]): StructType => {
    const places = new Map(before.fields.map(({ name }, i) => [name.toLowerCase(), i]));
    const placeOf = ({ name }: Field): number => places.get(name.toLowerCase()) ?? before.fields.length;
    const inOrder = from.isKnownFirst ? [...type.fields].sort((a, b) => placeOf(a) - placeOf(b)) : type.fields;
    const done = new Map(
      inOrder.map((field): [Field, Field] => {
        const old = before.fields[placeOf(field)];
        const own = [...path, field.name];
        const metadata = mappingOf(
          field,
          old !== undefined && isSuccessor(old.type, field.type) ? old : undefined,
          own,
        );
        const inside = inType(field.type, old?.type, own);
        if (metadata === field.metadata && inside === field.type) return [field, field];
        return [field, { ...field, type: inside, metadata }];
      }),
    );
    const fields = type.fields.map((field) => done.get(field) ?? field);
    return fields.every((field, i) => field === type.fields[i]) ? type : { ...type, fields };
  };
  const mappingOf = (field: Field, old: Field | undefined, path: readonly string[]): JsonObject => {
    const [id, name] = [field.metadata[COLUMN_ID], field.metadata[PHYSICAL_NAME]];
    if (id !== undefined && name !== undefined) return field.metadata;
    const known = old?.metadata ?? {};
    return {
      ...field.metadata,
      [COLUMN_ID]: id ?? known[COLUMN_ID] ?? ++maxId,
      [PHYSICAL_NAME]: name ?? known[PHYSICAL_NAME] ?? (from.isNamed ? field.name : newName(from, path)),
    };
  };
  const found = inStruct(schema, current, []);
  return { schema: found, maxId };
}

/** Looks like Delta's own: `col-` and a UUID. */
function newName({ tableId, maxId }: Assigning, path: readonly string[]): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([tableId, maxId, path]))
    .digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(12, 15)}`,
    `8${hex.slice(15, 18)}`,
    hex.slice(18, 30),
  ];
  return `col-${parts.join('-')}`;
}

/** Whether a column may go on under the id of one of the other type. */
function isSuccessor(old: DataType, type: DataType): boolean {
  if (old.kind === 'struct' && type.kind === 'struct') return true;
  if (old.kind === 'array' && type.kind === 'array') return isSuccessor(old.element, type.element);
  if (old.kind === 'map' && type.kind === 'map')
    return isSuccessor(old.key, type.key) && isSuccessor(old.value, type.value);
  return sameType(old, type) || canWiden(old, type);
}

function isMapped(schema: StructType): boolean {
  return idsIn(schema).length > 0;
}

function idsIn(schema: StructType): number[] {
  return fieldsIn(schema).flatMap((field) => columnId(field) ?? []);
}

function withoutMapping(schema: StructType): StructType {
  const inType = (type: DataType): DataType => {
    if (type.kind === 'struct') return withoutMapping(type);
    if (type.kind === 'array') return { ...type, element: inType(type.element) };
    return type.kind === 'map' ? { ...type, key: inType(type.key), value: inType(type.value) } : type;
  };
  return struct(
    schema.fields.map((field) => {
      const metadata = Object.entries(field.metadata).filter(([key]) => !isMappingKey(key));
      return { ...field, type: inType(field.type), metadata: Object.fromEntries(metadata) };
    }),
  );
}

function checkSwitch({ mode: before, metadata }: Before, mode: string, table: string): void {
  const facts = { table, features: ['columnMapping'] };
  if (before !== 'none' || mode !== 'name') {
    throw new SluiceError(
      'UNSUPPORTED_FEATURE',
      `${table}: column mapping cannot be changed from ${before} to ${mode}`,
      {
        advice: `It can be switched on once, by name: set ${MAPPING_MODE} to name. For another mode make the table anew.`,
        facts,
      },
    );
  }
  if (!isMapped(metadata.schema)) return;
  throw new SluiceError('UNSUPPORTED_FEATURE', `${table}: its columns have ids already, though column mapping is off`, {
    advice: 'Another writer left them there: which of its files go by them is not known. Make the table anew.',
    facts,
  });
}

function filesWithoutIds(table: string): SluiceError {
  return new SluiceError('UNSUPPORTED_FEATURE', `${table}: the first files of a table with column mapping by id`, {
    advice: 'Create the table with its properties first, then write to it; or map columns by name.',
    facts: { table, features: ['columnMapping'] },
  });
}
