/**
 * Between the types of Delta tables and those of DuckDB.
 *
 * Promise: a type that Delta does not have is `undefined`, never a near miss; integers that DuckDB widens (sums are HUGEINT)
 * come back as `long`, and the cast at writing refuses what does not fit.
 */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBTypeId,
  FLOAT,
  INTEGER,
  LIST,
  MAP,
  SMALLINT,
  STRUCT,
  TIMESTAMP,
  TIMESTAMPTZ,
  TINYINT,
  VARCHAR,
  type DuckDBType,
} from '@duckdb/node-api';
import { primitive, struct, field, type DataType, type Field, type PrimitiveName } from '../core/schema.ts';
import { quoteIdent } from './quoting.ts';

const NAMES: Readonly<Record<PrimitiveName, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  timestamp_ntz: 'TIMESTAMP',
};

const TYPES: Readonly<Record<PrimitiveName, DuckDBType>> = {
  string: VARCHAR,
  long: BIGINT,
  integer: INTEGER,
  short: SMALLINT,
  byte: TINYINT,
  float: FLOAT,
  double: DOUBLE,
  boolean: BOOLEAN,
  binary: BLOB,
  date: DATE,
  timestamp: TIMESTAMPTZ,
  timestamp_ntz: TIMESTAMP,
};

const PRIMITIVE_OF: Readonly<Partial<Record<DuckDBTypeId, PrimitiveName>>> = {
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.UUID]: 'string',
  [DuckDBTypeId.ENUM]: 'string',
  [DuckDBTypeId.BIGINT]: 'long',
  [DuckDBTypeId.HUGEINT]: 'long',
  [DuckDBTypeId.UBIGINT]: 'long',
  [DuckDBTypeId.UINTEGER]: 'long',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.USMALLINT]: 'integer',
  [DuckDBTypeId.SMALLINT]: 'short',
  [DuckDBTypeId.UTINYINT]: 'short',
  [DuckDBTypeId.TINYINT]: 'byte',
  [DuckDBTypeId.FLOAT]: 'float',
  [DuckDBTypeId.DOUBLE]: 'double',
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.BLOB]: 'binary',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_NS]: 'timestamp_ntz',
};

/**
 * The DuckDB type, in SQL, that holds a Delta type.
 * @example duckdbType(primitive('long')) // 'BIGINT'
 */
export function duckdbType(type: DataType): string {
  switch (type.kind) {
    case 'primitive':
      return NAMES[type.name];
    case 'decimal':
      return `DECIMAL(${String(type.precision)},${String(type.scale)})`;
    case 'array':
      return `${duckdbType(type.element)}[]`;
    case 'map':
      return `MAP(${duckdbType(type.key)}, ${duckdbType(type.value)})`;
    case 'struct':
      return `STRUCT(${type.fields.map((f) => `${quoteIdent(f.name)} ${duckdbType(f.type)}`).join(', ')})`;
  }
}

/** As `duckdbType`, for DuckDB's interface. */
export function duckdbTypeOf(type: DataType): DuckDBType {
  switch (type.kind) {
    case 'primitive':
      return TYPES[type.name];
    case 'decimal':
      return DECIMAL(type.precision, type.scale);
    case 'array':
      return LIST(duckdbTypeOf(type.element));
    case 'map':
      return MAP(duckdbTypeOf(type.key), duckdbTypeOf(type.value));
    case 'struct':
      return STRUCT(Object.fromEntries(type.fields.map((f) => [f.name, duckdbTypeOf(f.type)])));
  }
}

/** The Delta type of a DuckDB type, or undefined when Delta has none (TIME, INTERVAL, UNION, BIT …). */
export function toDataType(type: DuckDBType): DataType | undefined {
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL:
      return { kind: 'decimal', precision: type.width, scale: type.scale };
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const element = toDataType(type.valueType);
      return element && { kind: 'array', element, containsNull: true };
    }
    case DuckDBTypeId.MAP: {
      const key = toDataType(type.keyType);
      const value = toDataType(type.valueType);
      return key && value && { kind: 'map', key, value, valueContainsNull: true };
    }
    case DuckDBTypeId.STRUCT: {
      const fields: Field[] = [];
      for (const [i, name] of type.entryNames.entries()) {
        const entry = type.entryTypes[i];
        const known = entry && toDataType(entry);
        if (known === undefined) return undefined;
        fields.push(field(name, known));
      }
      return struct(fields);
    }
    default: {
      const name = PRIMITIVE_OF[type.typeId];
      return name && primitive(name);
    }
  }
}
