/**
 * Column definitions as text, such as the `schema => '…'` of a source: in the DDL of Spark, in Spark's meaning (TIMESTAMP is a moment,
 * TIMESTAMP_NTZ a wall-clock time), with DuckDB's spellings (VARCHAR, BLOB, INT[]) understood too.
 *
 * Promise: a text that is not wholly understood is refused, with the place and the nearest known type.
 */
import { SluiceError } from './errors.ts';
import { primitive, struct, type DataType, type Field, type PrimitiveName, type StructType } from './schema.ts';
import { isKeyword, isSymbol, tokenize, type Token } from './sql-tokens.ts';
import { nameAdvice } from './suggest.ts';

const SIMPLE: Readonly<Record<string, PrimitiveName>> = {
  STRING: 'string',
  VARCHAR: 'string',
  CHAR: 'string',
  TEXT: 'string',
  BIGINT: 'long',
  LONG: 'long',
  INT8: 'long',
  INT: 'integer',
  INTEGER: 'integer',
  INT4: 'integer',
  SMALLINT: 'short',
  SHORT: 'short',
  INT2: 'short',
  TINYINT: 'byte',
  BYTE: 'byte',
  FLOAT: 'float',
  REAL: 'float',
  DOUBLE: 'double',
  BOOLEAN: 'boolean',
  BOOL: 'boolean',
  BINARY: 'binary',
  BLOB: 'binary',
  BYTEA: 'binary',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_LTZ: 'timestamp',
  TIMESTAMPTZ: 'timestamp',
  TIMESTAMP_NTZ: 'timestamp_ntz',
};
const DECIMALS = ['DECIMAL', 'DEC', 'NUMERIC'];
const NESTED = ['ARRAY', 'MAP', 'STRUCT'];

/** Types that others have and Delta tables do not, with what to use instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  HUGEINT: 'DECIMAL(38,0)',
  UBIGINT: 'DECIMAL(20,0)',
  UINTEGER: 'BIGINT',
  UUID: 'STRING',
  JSON: 'STRING, which keeps the JSON text',
  VARIANT: 'STRING, which keeps the JSON text',
  TIME: 'STRING',
  INTERVAL: 'STRING',
};

/**
 * Reads a schema text.
 * @throws SluiceError `SQL_SYNTAX`, `TYPE_UNSUPPORTED`; `facts.position` is the offset in the text.
 * @example parseSchema('order_id BIGINT NOT NULL, amount DECIMAL(10,2), tags ARRAY<STRING>').fields.length // 3
 */
export function parseSchema(text: string): StructType {
  return new SchemaParser(text).parse();
}

class SchemaParser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): StructType {
    if (this.#tokens.length === 0) this.#fail('it is empty: name its columns and their types');
    const fields = this.#fields(undefined);
    if (this.#next !== undefined) this.#fail('expected a comma');
    return struct(fields);
  }

  /** Definitions up to `close`, which is left to the caller. */
  #fields(close: string | undefined): Field[] {
    const fields: Field[] = [];
    const seen = new Set<string>();
    do {
      const token = this.#next;
      const known = this.#field();
      if (seen.has(known.name.toLowerCase())) this.#fail(`the column ${known.name} is there twice`, token);
      seen.add(known.name.toLowerCase());
      fields.push(known);
    } while (this.#skip(','));
    if (close !== undefined && !isSymbol(this.#next, close)) this.#fail(`expected a comma or "${close}"`);
    return fields;
  }

  #field(): Field {
    const name = this.#next;
    if (name?.kind !== 'word' && name?.kind !== 'name') this.#fail('expected the name of a column');
    if (!/^[^\p{Cc}]+$/u.test(name.value)) this.#fail('a column needs a name without control characters', name);
    this.#at++;
    this.#skip(':');
    const type = this.#type(name.value);
    let nullable = true;
    let metadata: Field['metadata'] = {};
    for (;;) {
      if (this.#keywords('NOT', 'NULL')) nullable = false;
      else if (this.#keywords('COMMENT')) metadata = { comment: this.#string() };
      else return { name: name.value, type, nullable, metadata };
    }
  }

  #type(column: string): DataType {
    let type = this.#plainType(column);
    while (this.#skip('[')) {
      if (!this.#skip(']')) this.#fail('expected "]": lists have no fixed length');
      type = { kind: 'array', element: type, containsNull: true };
    }
    return type;
  }

  #plainType(column: string): DataType {
    const token = this.#next;
    if (token?.kind !== 'word') this.#fail(`expected the type of ${column}`);
    this.#at++;
    const name = token.text.toUpperCase();
    if (name === 'ARRAY') return { kind: 'array', element: this.#inside(column, '<', '>'), containsNull: true };
    if (name === 'MAP') return this.#map(column);
    if (name === 'STRUCT') {
      const close = this.#open(column);
      const fields = this.#fields(close);
      this.#at++;
      return struct(fields);
    }
    if (DECIMALS.includes(name)) return this.#decimal(token);
    const known = SIMPLE[name];
    if (known === undefined) this.#unknown(token, column);
    if (name === 'DOUBLE') this.#keywords('PRECISION');
    if (name === 'VARCHAR' || name === 'CHAR') this.#length();
    if (name !== 'TIMESTAMP') return primitive(known);
    if (this.#keywords('WITHOUT', 'TIME', 'ZONE')) return primitive('timestamp_ntz');
    this.#keywords('WITH', 'TIME', 'ZONE');
    return primitive('timestamp');
  }

  #inside(column: string, open: string, close: string): DataType {
    if (!this.#skip(open)) this.#fail(`expected "${open}" and the type of the elements of ${column}`);
    const type = this.#type(column);
    if (!this.#skip(close)) this.#fail(`expected "${close}"`);
    return type;
  }

  #map(column: string): DataType {
    const close = this.#open(column);
    const key = this.#type(column);
    if (!this.#skip(',')) this.#fail('expected a comma and the type of the values');
    const value = this.#type(column);
    if (!this.#skip(close)) this.#fail(`expected "${close}"`);
    return { kind: 'map', key, value, valueContainsNull: true };
  }

  /** Spark writes `STRUCT<…>`, DuckDB `STRUCT(…)`. */
  #open(column: string): string {
    if (this.#skip('<')) return '>';
    if (this.#skip('(')) return ')';
    return this.#fail(`expected "<" and what ${column} is made of`);
  }

  /** Source: Spark SQL reference, "Data Types": DECIMAL alone is DECIMAL(10,0). */
  #decimal(token: Token): DataType {
    if (!this.#skip('(')) return { kind: 'decimal', precision: 10, scale: 0 };
    const precision = this.#integer();
    const scale = this.#skip(',') ? this.#integer() : 0;
    if (!this.#skip(')')) this.#fail('expected ")"');
    if (precision < 1 || precision > 38 || scale > precision) {
      this.#fail('a decimal has 1 to 38 digits, and no more of them after the point', token);
    }
    return { kind: 'decimal', precision, scale };
  }

  #length(): void {
    if (!this.#skip('(')) return;
    this.#integer();
    if (!this.#skip(')')) this.#fail('expected ")"');
  }

  #integer(): number {
    const token = this.#next;
    if (token?.kind !== 'number' || !/^\d+$/.test(token.text)) this.#fail('expected a whole number');
    this.#at++;
    return Number(token.text);
  }

  #string(): string {
    const token = this.#next;
    if (token?.kind !== 'string') this.#fail("expected the comment's text in single quotes");
    this.#at++;
    return token.value;
  }

  #unknown(token: Token, column: string): never {
    const name = token.text.toUpperCase();
    const instead = ELSEWHERE[name];
    const known = [...Object.keys(SIMPLE), ...DECIMALS, ...NESTED];
    const advice =
      instead !== undefined
        ? `Delta tables have no such type; use ${instead}.`
        : nameAdvice(name, known, 'Use a type of Spark SQL: STRING, BIGINT, DECIMAL(10,2), TIMESTAMP, ARRAY<…> …');
    throw new SluiceError('TYPE_UNSUPPORTED', `schema: unknown type ${token.text} of column ${column}`, {
      advice,
      facts: { column, type: token.text, position: token.start },
    });
  }

  get #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #skip(symbol: string): boolean {
    if (!isSymbol(this.#next, symbol)) return false;
    this.#at++;
    return true;
  }

  #keywords(...words: readonly string[]): boolean {
    if (!words.every((word, i) => isKeyword(this.#tokens[this.#at + i], word))) return false;
    this.#at += words.length;
    return true;
  }

  #fail(what: string, token = this.#next): never {
    const position = token?.start ?? this.#text.length;
    const found = token === undefined ? 'the end' : `"${token.text}"`;
    throw new SluiceError('SQL_SYNTAX', `schema: ${what}, at ${found} (character ${position + 1})`, {
      advice: "Write it as in CREATE TABLE: 'order_id BIGINT, amount DECIMAL(10,2), ts TIMESTAMP'.",
      facts: { position },
    });
  }
}
