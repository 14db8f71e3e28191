/** What a look at the bytes says to fit does fit: the shape takes it too, whatever the bytes are. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../../../engine/engine.ts';
import { quoteString } from '../../../../engine/quoting.ts';
import type { Session } from '../../../../engine/session.ts';
import type { FieldOrders } from '../../../../ingest/decode/field-orders.ts';
import { Learnt } from '../../../../ingest/decode/learnt.ts';
import { PlainRecords } from '../../../../ingest/decode/plain.ts';
import { parseSchema } from '../../../../ingest/decode/schema-text.ts';
import { shapeOf } from '../../../../ingest/decode/shape.ts';
import { damaged, ORDERS, SCHEMA } from './plain-records.ts';

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
