/**
 * The columns of a Parquet file as a Delta table has them, from what its footer says.
 *
 * Promise: pure; everything may be NULL, as in every table that is converted; types are mapped as Spark maps them (unsigned integers to the next larger type, INT96 to timestamp), and one that
 * Delta has not is refused by its name. Source: Parquet format, "LogicalTypes.md"; Spark, `ParquetToSparkSchemaConverter`.
 */
import {
  field,
  primitive,
  struct,
  type DataType,
  type Field,
  type PrimitiveName,
  type StructType,
} from '../../core/schema.ts';

/** A node of a footer's schema, in the order of a walk through its tree. */
export interface ParquetNode {
  readonly name: string;
  /** The type of a leaf; undefined for a group. */
  readonly type: string | undefined;
  readonly repetition: string;
  readonly children: number;
  readonly convertedType: string;
  readonly logicalType: string;
  readonly precision: number;
  readonly scale: number;
}

/** What is wrong with a column: where, and why. */
export class ParquetTypeError extends Error {
  readonly column: string;
  readonly what: string;

  constructor(column: string, what: string) {
    super(`${column} is ${what}`);
    this.column = column;
    this.what = what;
  }
}

/**
 * @param nodes of one file, the root first
 * @throws ParquetTypeError for a type that no Delta table has
 */
export function schemaOfFooter(nodes: readonly ParquetNode[]): StructType {
  const walk = new Walk(nodes);
  const root = walk.next();
  return struct(Array.from({ length: root.children }, () => walk.field('')));
}

class Walk {
  readonly #nodes: readonly ParquetNode[];
  #at = 0;

  constructor(nodes: readonly ParquetNode[]) {
    this.#nodes = nodes;
  }

  next(): ParquetNode {
    const node = this.#nodes[this.#at++];
    if (node === undefined) throw new ParquetTypeError('the schema', 'cut off');
    return node;
  }

  field(prefix: string): Field {
    const node = this.next();
    const path = `${prefix}${node.name}`;
    const type = this.#type(node, path);
    // What repeats without being called a list is one all the same.
    return field(
      node.name,
      node.repetition === 'REPEATED' ? { kind: 'array', element: type, containsNull: false } : type,
    );
  }

  #type(node: ParquetNode, path: string): DataType {
    if (node.type !== undefined) return leafType(node, path);
    const kind = node.convertedType || node.logicalType;
    if (/^LIST/i.test(kind)) return this.#list(node, path);
    if (/^MAP/i.test(kind)) return this.#map(node, path);
    if (/VARIANT/i.test(node.logicalType)) throw new ParquetTypeError(path, 'a VARIANT');
    return struct(Array.from({ length: node.children }, () => this.field(`${path}.`)));
  }

  /** Also as writers of old had them, with two levels. Source: LogicalTypes.md, "Backward-compatibility rules". */
  #list(node: ParquetNode, path: string): DataType {
    const repeated = this.next();
    const isElement =
      repeated.type !== undefined ||
      repeated.children !== 1 ||
      repeated.name === 'array' ||
      repeated.name === `${node.name}_tuple`;
    if (isElement) return { kind: 'array', element: this.#type(repeated, `${path}.element`), containsNull: true };
    const element = this.next();
    return { kind: 'array', element: this.#type(element, `${path}.element`), containsNull: true };
  }

  #map(_: ParquetNode, path: string): DataType {
    const pair = this.next();
    if (pair.children !== 2) throw new ParquetTypeError(path, 'a map without values');
    const key = this.#type(this.next(), `${path}.key`);
    const value = this.next();
    return { kind: 'map', key, value: this.#type(value, `${path}.value`), valueContainsNull: true };
  }
}

const CONVERTED: Readonly<Record<string, PrimitiveName>> = {
  UTF8: 'string', ENUM: 'string', JSON: 'string', INT_8: 'byte', INT_16: 'short', INT_32: 'integer', INT_64: 'long',
  UINT_8: 'short', UINT_16: 'integer', UINT_32: 'long', DATE: 'date',
}; // prettier-ignore
const PLAIN: Readonly<Record<string, PrimitiveName>> = {
  BOOLEAN: 'boolean', INT32: 'integer', INT64: 'long', INT96: 'timestamp', FLOAT: 'float', DOUBLE: 'double', BYTE_ARRAY: 'binary',
  FIXED_LEN_BYTE_ARRAY: 'binary',
}; // prettier-ignore

function leafType({ type = '', convertedType, logicalType, precision, scale }: ParquetNode, path: string): DataType {
  if (/^Timestamp/.test(logicalType)) {
    if (/NANOS=NanoSeconds/.test(logicalType))
      throw new ParquetTypeError(path, 'a time in nanoseconds, which Delta cuts off');
    return primitive(/isAdjustedToUTC=1/.test(logicalType) ? 'timestamp' : 'timestamp_ntz');
  }
  if (/^TIMESTAMP_/.test(convertedType)) return primitive('timestamp');
  if (convertedType === 'DECIMAL' || /^Decimal/.test(logicalType)) {
    if (precision <= 38) return { kind: 'decimal', precision, scale };
    throw new ParquetTypeError(path, `a decimal of ${String(precision)} digits, and Delta has 38 at most`);
  }
  if (convertedType === 'UINT_64') return { kind: 'decimal', precision: 20, scale: 0 };
  const known = CONVERTED[convertedType];
  if (known !== undefined) return primitive(known);
  if (/^String|^Enum|^Json/i.test(logicalType)) return primitive('string');
  const odd = convertedType || logicalType.replace(/\(.*$/s, '');
  const plain = PLAIN[type];
  if (odd === '' && plain !== undefined) return primitive(plain);
  throw new ParquetTypeError(path, `of the Parquet type ${odd === '' ? type : odd}`);
}
