/** What a look at the bytes says to fit does fit: the shape takes it too, whatever the bytes are. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../../../engine/engine.ts';
import { quoteString } from '../../../../engine/quoting.ts';
import type { Session } from '../../../../engine/session.ts';
import type { FieldOrders } from '../../../../ingest/decode/field-orders.ts';
import { Learnt } from '../../../../ingest/decode/learnt.ts';
import { PlainRecords } from '../../../../ingest/decode/plain.ts';
import { parseSchema } from '../../../../core/schema-text.ts';
import { shapeOf } from '../../../../ingest/decode/shape.ts';

const SCHEMA = parseSchema(
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
const ORDERS: FieldOrders = new Map([
  ['', [['at', 'name', 'i', 'id', 'price'], SCHEMA.fields.map((f) => f.name).reverse()]],
  ['/inner', [['c', 'a']]],
]);

let engine: Engine;
let session: Session;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '300MB', threads: 2 });
  session = await engine.session();
  await session.run('CREATE TABLE texts (i INTEGER, "value" BLOB)');
});
afterAll(() => {
  session.close();
  engine.close();
});

function takes(records: PlainRecords, value: Uint8Array): boolean {
  // In the middle of other bytes, and at the very end of some: neither may matter.
  const around = Buffer.concat([Buffer.from('{"id"'), value, Buffer.from('}}"}')]);
  const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const alone = Uint8Array.from(value);
  const said = records.takes(alone, viewOf(alone), 0, alone.length);
  if (records.takes(around, viewOf(around), 5, 5 + value.length) !== said)
    throw new Error(`it depends on what is around ${value.toString()}`);
  return said;
}

/** Which of the values the shape takes. */
async function shaped(orders: FieldOrders, values: readonly Uint8Array[]): Promise<readonly boolean[]> {
  const shape = shapeOf(SCHEMA, orders);
  if (shape === undefined) throw new Error('the schema has no shape');
  await session.run('DELETE FROM texts');
  const appender = await session.appender('texts');
  for (let from = 0; from < values.length; from += 2000) {
    const part = values.slice(from, from + 2000);
    appender.append([Int32Array.from(part.keys(), (i) => from + i), part], part.length);
  }
  appender.close();
  const rows = await session.rows(
    `SELECT coalesce(regexp_full_match(TRY(decode("value")), ${quoteString(shape)}), false) AS fits FROM texts ORDER BY i`,
  );
  return rows.map((row) => row['fits'] === true);
}

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
const damaged = fc.tuple(object, fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 })).map(([text, damage]) => {
  const bytes = Buffer.from(text);
  if (damage !== null) bytes[damage[0] % bytes.length] = damage[1];
  return bytes;
});

test.each([
  ['the order of the schema', new Map()],
  ['orders that were learnt', ORDERS],
])('what it takes, the shape takes: %s', async (_, orders) => {
  let taken = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(damaged, { minLength: 300, maxLength: 300 }), async (values) => {
      const records = new PlainRecords(SCHEMA, orders);
      const fits = await shaped(orders, values);
      for (const [i, value] of values.entries()) {
        const said = takes(records, value);
        if (said && fits[i] !== true) throw new Error(`it takes ${value.toString()} (${value.toString('hex')})`);
        if (said) taken++;
        else refused++;
      }
    }),
    { numRuns: 30 },
  );
  expect(taken).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});

test('every character is text, and other bytes are exactly when they are UTF-8', async () => {
  const schema = parseSchema('name STRING');
  const records = new PlainRecords(schema);
  const characters = Array.from({ length: 0x110000 }, (_, code) => code).filter(
    (code) => code < 0xd800 || code > 0xdfff,
  );
  for (let from = 0; from < characters.length; from += 4096) {
    const text = String.fromCodePoint(...characters.slice(Math.max(from, 0x80), from + 4096));
    expect(takes(records, Buffer.from(JSON.stringify({ name: text })))).toBe(true);
  }
  const decoder = new TextDecoder('utf8', { fatal: true });
  const isText = (bytes: Uint8Array): boolean => {
    try {
      return decoder.decode(bytes).length > 0;
    } catch {
      return false;
    }
  };
  const edges = [0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf3, 0xf4, 0xf5, 0xff]; // prettier-ignore
  const wrong: string[] = [];
  for (const a of edges)
    for (const b of edges)
      for (const c of edges)
        for (const d of edges) {
          const bytes = Buffer.from([a, b, c, d]);
          const value = Buffer.concat([Buffer.from('{"name":"'), bytes, Buffer.from('"}')]);
          if (takes(records, value) !== isText(bytes)) wrong.push(bytes.toString('hex'));
        }
  expect(wrong).toEqual([]);
  expect(takes(records, Buffer.from('{"name":"\u0000"}'))).toBe(false);
  await expect(
    session.rows(`SELECT decode(unhex('${Buffer.from('\u{10ffff}\ufffe\u0080').toString('hex')}')) AS text`),
  ).resolves.toEqual([{ text: '\u{10ffff}\ufffe\u0080' }]);
});

test('an order that was learnt is taken from then on', () => {
  const schema = parseSchema('a INT, b STRING');
  const records = new PlainRecords(schema);
  const value = Buffer.from('{"b": "x", "a": 1}');
  expect(takes(records, value)).toBe(false);
  records.learn(new Map([['', [['b', 'a']]]]));
  expect(takes(records, value)).toBe(true);
  expect(takes(records, Buffer.from('{"a":1,"b":"x"}'))).toBe(true);
});

/** Structs in structs, the inner one first. */
function nested(depth: number): string {
  return depth === 0 ? 'INT' : `STRUCT<x: ${nested(depth - 1)}, a: INT, b: INT>`;
}

function nestedValue(depth: number, innermost: string): string {
  return depth === 0 ? innermost : `{"x":${nestedValue(depth - 1, innermost)},"b":1,"a":2}`;
}

test('many orders of many structs inside one another do not multiply without end', () => {
  const depth = 40;
  const schema = parseSchema(`r ${nested(depth)}`);
  const orders = ['x,b,a', 'x,a,b', 'a,x,b', 'b,x,a'].map((order) => order.split(','));
  const paths = Array.from({ length: depth }, (_, i) => `/r${'/x'.repeat(i)}`);
  const learnt = new Learnt(schema);
  expect(learnt.learn(new Map(paths.map((path) => [path, orders])))).toBe(true);
  expect(learnt.shape).toBeDefined();
  expect(takes(learnt.plain, Buffer.from(`{"r":${nestedValue(depth, '1')}}`))).toBe(true);
  expect(takes(learnt.plain, Buffer.from(`{"r":${nestedValue(depth, '"1"')}}`))).toBe(false);
});

test('orders that make the expression too long leave the one before, and plain records are learnt all the same', () => {
  const names = Array.from({ length: 100 }, (_, i) => `column_${String(i)}`);
  const learnt = new Learnt(parseSchema(names.map((name) => `${name} STRING`).join(', ')));
  const before = learnt.shape;
  const turned = (by: number): string[] => [...names.slice(by), ...names.slice(0, by)];
  const value = Buffer.from(JSON.stringify(Object.fromEntries(turned(40).map((name) => [name, 'x']))));
  expect(takes(learnt.plain, value)).toBe(false);
  expect(learnt.learn(new Map([['', [turned(10), turned(20), turned(30), turned(40)]]]))).toBe(true);
  expect(learnt.shape).toBe(before);
  expect(before).toBeDefined();
  expect(takes(learnt.plain, value)).toBe(true);
  expect(learnt.learn(learnt.orders)).toBe(false);
});
