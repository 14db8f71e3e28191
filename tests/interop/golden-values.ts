/** Types, names and values from chance, as Spark's SQL writes them: those on which engines are known to disagree come often. */
import type { Random } from '../../core/random.ts';
import { field, primitive, struct, type DataType, type Field, type PrimitiveName } from '../../core/schema.ts';

export const oneOf = <T>(random: Random, items: readonly T[]): T => {
  const item = items[random.int(items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
};

/** Literals of each type; text of decimals and nested values is made below. */
const LITERALS: Readonly<Record<PrimitiveName, readonly string[]>> = {
  string: [
    `''`, `' '`, `'a b'`, `'ü=%/'`, `'%41%2F'`, `'null'`, `'NULL'`, `'日本/東京 😀'`, `'a#b+c?d&e'`, `'back\\\\slash "q" \\'s\\''`, `'line\\nbreak\\ttab'`,
    `'__HIVE_DEFAULT_PARTITION__'`, `'a:b*c<d>|e'`, `'~.'`, `'2026-01-01'`, `'{"json": [1]}'`, `repeat('x', 100)`,
  ],
  long: ['-9223372036854775808', '9223372036854775807', '9007199254740993', '0', '-1'],
  integer: ['-2147483648', '2147483647', '0', '16777217'],
  short: ['-32768', '32767', '0'],
  byte: ['-128', '127', '0'],
  float: [`'NaN'`, `'Infinity'`, `'-Infinity'`, `'-0.0'`, `'1.1'`, `'1.4E-45'`, `'3.4028235E38'`, `'0.0'`],
  double: [`'NaN'`, `'Infinity'`, `'-Infinity'`, `'-0.0'`, `'0.1'`, `'4.9E-324'`, `'1.7976931348623157E308'`, `'1.0E10'`],
  boolean: ['true', 'false'],
  binary: [`X''`, `X'00FF10'`, `X'5C78343100'`, `'text'`, `X'5C'`],
  date: [`'0001-01-01'`, `'1582-10-04'`, `'1582-10-15'`, `'1969-12-31'`, `'1970-01-01'`, `'9999-12-31'`, `'2024-02-29'`, `'1900-03-01'`],
  timestamp: [
    `'0001-01-01 00:00:00'`, `'1582-10-10 12:00:00.000001'`, `'1969-12-31 23:59:59.999999'`, `'2026-03-29 02:30:00'`, `'9999-12-31 23:59:59.999999'`,
    `'1883-11-18 12:03:58.1'`, `'2026-01-01 00:00:00+05:30'`, `'1970-01-01 00:00:00'`,
  ],
  timestamp_ntz: [
    `'0001-01-01 00:00:00'`, `'1582-10-10 12:00:00.000001'`, `'1969-12-31 23:59:59.999999'`, `'2026-03-29 02:30:00'`, `'9999-12-31 23:59:59.999999'`,
  ],
}; // prettier-ignore

const PRIMITIVES = Object.keys(LITERALS) as readonly PrimitiveName[];

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** A type as in DDL. */
export function ddl(type: DataType): string {
  switch (type.kind) {
    case 'primitive':
      return { long: 'BIGINT', integer: 'INT', short: 'SMALLINT', byte: 'TINYINT' }[type.name as string] ?? type.name;
    case 'decimal':
      return `DECIMAL(${String(type.precision)},${String(type.scale)})`;
    case 'array':
      return `ARRAY<${ddl(type.element)}>`;
    case 'map':
      return `MAP<${ddl(type.key)}, ${ddl(type.value)}>`;
    case 'struct':
      return `STRUCT<${type.fields.map((one) => `${quoted(one.name)}: ${ddl(one.type)}`).join(', ')}>`;
  }
}

export function value(random: Random, type: DataType, nulls = 0.2): string {
  if (random.next() < nulls) return `CAST(NULL AS ${ddl(type)})`;
  return `CAST(${bare(random, type)} AS ${ddl(type)})`;
}

function bare(random: Random, type: DataType): string {
  switch (type.kind) {
    case 'primitive':
      return oneOf(random, LITERALS[type.name]);
    case 'decimal':
      return decimal(random, type.precision, type.scale);
    case 'array':
      return `array(${Array.from({ length: random.int(4) }, () => value(random, type.element)).join(', ')})`;
    case 'map': {
      const keys = new Set(Array.from({ length: random.int(4) }, () => value(random, type.key, 0)));
      return `map(${[...keys].map((key) => `${key}, ${value(random, type.value)}`).join(', ')})`;
    }
    case 'struct':
      return `named_struct(${type.fields.map((one) => `'${one.name.replaceAll(/['\\]/g, String.raw`\$&`)}', ${value(random, one.type)}`).join(', ')})`;
  }
}

function decimal(random: Random, precision: number, scale: number): string {
  const digits = oneOf(random, ['9'.repeat(precision), '1', '10'.slice(0, precision), '123456789'.slice(0, precision)]);
  const padded = digits.padStart(scale + 1, '0');
  const text = scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  return `'${random.next() < 0.5 ? '-' : ''}${text}'`;
}

/** A type; nested ones hold others down to `depth`. */
export function someType(random: Random, names: Names, depth = 3): DataType {
  const kind = random.int(depth > 0 ? 10 : 6);
  if (kind === 5) return { kind: 'decimal', ...oneOf(random, [[1, 0], [5, 2], [18, 18], [38, 10], [10, 0], [20, 3]].map(([precision = 1, scale = 0]) => ({ precision, scale }))) }; // prettier-ignore
  if (kind < 5) return primitive(oneOf(random, PRIMITIVES));
  const inner = (): DataType => someType(random, names, depth - 1);
  if (kind === 6) return { kind: 'array', element: inner(), containsNull: true };
  if (kind === 7) return { kind: 'map', key: keyType(random), value: inner(), valueContainsNull: true };
  return someStruct(random, names, inner);
}

function someStruct(random: Random, names: Names, inner: () => DataType): DataType {
  const own = names.fresh();
  return struct(Array.from({ length: 1 + random.int(3) }, () => field(own.next(random), inner())));
}

/** Equal keys would be refused: no floating point, of which two zeros are one. */
function keyType(random: Random): DataType {
  const name = oneOf(random, ['string', 'long', 'integer', 'date', 'boolean', 'timestamp', 'byte'] as const);
  if (random.int(5) === 0) return struct([field('k', primitive('integer')), field('l', primitive('string'))]);
  return random.int(5) === 0 ? { kind: 'decimal', precision: 5, scale: 2 } : primitive(name);
}

/** A type that a table can be partitioned by. */
export function partitionType(random: Random): DataType {
  return random.int(8) === 0 ? { kind: 'decimal', precision: 10, scale: 3 } : primitive(oneOf(random, PRIMITIVES));
}

const PLAIN = [
  'a',
  'B',
  'größe',
  '_x',
  'select',
  '日本',
  'filename',
  'key',
  'value',
  'f',
  'p',
  'x0',
  'element',
  'entries',
  'c1',
  'c2',
];
const ODD = ['a b', 'x.y', 'c,d;{}()=', '"q"', "it's", '%41%20', 'a`b', 'tab\there', 'ends ', '😀', '$[0]', '-'];

/** Names that were not given yet, whatever the case of their letters. */
export class Names {
  readonly #given = new Set<string>();
  readonly #isOddAllowed: boolean;

  constructor(isOddAllowed: boolean) {
    this.#isOddAllowed = isOddAllowed;
  }

  fresh(): Names {
    return new Names(this.#isOddAllowed);
  }

  /** Also names that were given back. */
  next(random: Random): string {
    for (let n = 0; ; n++) {
      const base = oneOf(random, this.#isOddAllowed && random.int(2) === 0 ? ODD : PLAIN);
      const name = n < 5 ? base : `${base}${String(n)}`;
      if (this.#given.has(name.toLowerCase())) continue;
      this.#given.add(name.toLowerCase());
      return name;
    }
  }

  giveBack(name: string): void {
    this.#given.delete(name.toLowerCase());
  }
}

/** Columns with their types. */
export function someColumns(random: Random, names: Names, count: number): Field[] {
  return Array.from({ length: count }, () => field(names.next(random), someType(random, names)));
}
