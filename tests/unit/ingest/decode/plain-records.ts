/** A schema of every type, and values that fit its columns or look like it. */
import fc from 'fast-check';
import type { FieldOrders } from '../../../../ingest/decode/field-orders.ts';
import { parseSchema } from '../../../../ingest/decode/schema-text.ts';

export const SCHEMA = parseSchema(
  'id BIGINT, i INT NOT NULL, s SMALLINT, b TINYINT, price DECIMAL(10,2), large DECIMAL(38,20), whole DECIMAL(20,0), d DOUBLE, f FLOAT, ' +
    'name STRING, ok BOOLEAN, day DATE, at TIMESTAMP, local TIMESTAMP_NTZ, tags ARRAY<STRING>, inner STRUCT<a: INT, c: STRING>, ' +
    'm MAP<STRING, INT>, bytes BINARY, x STRUCT<y: BINARY>',
);
/** Of each column: values that fit, and such as look like it. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  id: ['0', '-1', '123456789012345678', '-9223372036854775808', '01', '1.0', '+1', '-', '"1"', '1e3'],
  i: ['7', '-999999999', '2147483648', '-0', '00'],
  s: ['12', '-9999', '32768'],
  b: ['1', '-99', '128', '100'],
  price: ['1', '12.30', '-0.5', '99999999.99', '999999999', '1.234', '.5', '1.', '"12.30"', '1e2'],
  large: ['1', '123456789012345678', '1.5', '1234567890123456789'],
  whole: ['1', '123456789012345678', '1.0'],
  d: ['1.5', '-0', '-0.0', '-0e1', '1e10', '1E-99', '1e100', '12345678901234567890.5', '.5', '1.e3', 'NaN'],
  f: ['1.5', '3', '-0', '1e3'],
  name: ['""', '"a"', '"four"', '"Grüße 🎉"', '"a\\"b\\\\"', '"\\u00e9"', '"\\x"', '"\t"', '"a', '"\u007f"', '12', 'true'],
  ok: ['true', 'false', 'TRUE', '1', 'tru', 'trues'],
  day: ['"2026-01-31"', '"2024-02-29"', '"2026-02-28"', '"2026-04-31"', '"2026-1-01"', '"0999-01-01"', '"2026-01-01 "', '"3000-01-01"'],
  at: [
    '"2026-01-01T00:00:00Z"', '"2026-01-01 23:59:59.123456789+05:30"', '"2026-01-01T00:00:00-1800"', '"2026-01-01"',
    '"2026-01-01T24:00:00Z"', '"2026-01-01T00:00"', '"2026-01-01T00:00:00.+01"', '"2026-01-01T00:00:00+19"',
    '"2026-01-01T00:00:00+01:60"', '"2026-01-01T00:00:00+0"', '"2026-01-01T00:00:00+01:"', '"2026-01-01T00:00:00z"',
  ],
  local: ['"2026-01-01T00:00:00.5"', '"2026-01-01"', '"2026-01-01T00:00:00Z"'],
  tags: ['[]', '["a"]', '["a", null]', '["a",]', '[,]', '["a" "b"]', '[[]]', '['],
  inner: ['{"a":1,"c":"x"}', '{"a":1}', '{"c":"x"}', '{"c":"x","a":1}', '{}', '{"a":1,}', '{"a":1,"a":2}', '{"a":1,"z":2}'],
  m: ['{}', '{"k":1}'],
  bytes: ['"aGk="'],
  x: ['{"y":"aGk="}', '{"y":null}'],
}; // prettier-ignore
export const ORDERS: FieldOrders = new Map([
  ['', [['at', 'name', 'i', 'id', 'price'], SCHEMA.fields.map((f) => f.name).reverse()]],
  ['/inner', [['c', 'a']]],
]);

const REQUIRED: readonly [string, string][] = [['id', '1'], ['i', '7']]; // prettier-ignore
const member = fc
  .constantFrom(...Object.keys(VALUES))
  .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom('null', ...(VALUES[name] ?? []))));
/** The fields without which nothing fits, and some others; the required ones are themselves at times other ones. */
const members = fc
  .tuple(fc.array(member, { maxLength: 5 }), fc.integer({ min: 0, max: 9 }))
  .map(([some, often]) => [...new Map(often > 0 ? [...some, ...REQUIRED] : some)]);
const space = fc.constantFrom('', '', '', ' ', '  ', '\n');
const written = fc.tuple(space, space, space).map(([a, b, c]) => ({ colon: `:${a}`, comma: `,${b}`, brace: c }));

/** Objects whose fields come in the order of the schema, in that of `ORDERS`, or in any. */
const object = fc
  .tuple(members, fc.constantFrom('own', 'known', 'any'), written)
  .map(([own, order, { colon, comma, brace }]) => {
    const names = SCHEMA.fields.map((f) => f.name);
    const place = order === 'known' ? (ORDERS.get('')?.[0] ?? names) : names;
    const sorted = order === 'any' ? own : [...own].sort(([a], [b]) => place.indexOf(a) - place.indexOf(b));
    return `{${brace}${sorted.map(([name, value]) => `"${name}"${colon}${value}`).join(comma)}${brace}}`;
  });
/** A byte that is another one, now and then. */
export const damaged = fc
  .tuple(object, fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }))
  .map(([text, damage]) => {
    const bytes = Buffer.from(text);
    if (damage !== null) bytes[damage[0] % bytes.length] = damage[1];
    return bytes;
  });
