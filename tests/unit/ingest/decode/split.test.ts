/** What plain records are split into is what reading their JSON gives, value by value. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../../../engine/engine.ts';
import type { Session } from '../../../../engine/session.ts';
import type { JsonSpec } from '../../../../ingest/decode/decode.ts';
import { parseSchema } from '../../../../ingest/decode/schema-text.ts';
import { damaged, SCHEMA } from './plain-records.ts';
import { RawTables } from './raw-tables.ts';

let engine: Engine;
let session: Session;
let tables: RawTables;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '300MB', threads: 2 });
  session = await engine.session();
  tables = new RawTables(engine, session);
});
afterAll(() => {
  session.close();
  engine.close();
});

const spec = (schema: string): JsonSpec => ({
  format: 'json',
  schema: parseSchema(schema),
  rescuedDataColumn: '_rescued_data',
});

test('records of every type, good and damaged', async () => {
  let split = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(damaged, { minLength: 300, maxLength: 300 }), async (values) => {
      const own = { format: 'json', schema: SCHEMA, rescuedDataColumn: '_rescued_data' } as const;
      const looked = await tables.looked(own, values);
      expect(looked.found).toEqual(await tables.unseen(own, values));
      split += looked.split;
      all += values.length;
    }),
    { numRuns: 15 },
  );
  expect(split).toBeGreaterThan(100);
  expect(split).toBeLessThan(all);
}, 120_000);

const digits = (most: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }).map((some) => some.join(''));
const sign = fc.constantFrom('', '-');
const whole = (most: number): fc.Arbitrary<string> =>
  fc.tuple(sign, digits(most)).map(([minus, number]) => minus + (number.replace(/^0+/, '') || '0'));
const point = (before: number, after: number): fc.Arbitrary<string> =>
  fc.tuple(whole(before), digits(after)).map(([front, behind]) => `${front}.${behind}`);
const pad = (least: number, most: number, width = 2): fc.Arbitrary<string> =>
  fc.integer({ min: least, max: most }).map((number) => String(number).padStart(width, '0'));
const day = fc.oneof(
  fc.tuple(pad(1000, 2999, 4), pad(1, 12), pad(1, 28)).map((parts) => parts.join('-')),
  fc.constantFrom('1970-01-01', '1969-12-31', '2000-02-28', '2000-03-01', '1900-03-01', '2100-12-31', '2254-12-31', '1684-01-01'),
); // prettier-ignore
const time = fc.tuple(pad(0, 23), pad(0, 59), pad(0, 59)).map((parts) => parts.join(':'));
const fraction = fc.oneof(fc.constant(''), digits(9).map((some) => `.${some}`)); // prettier-ignore
const local = fc.tuple(day, fc.constantFrom('T', ' '), time, fraction).map((parts) => parts.join(''));
const zone = fc.oneof(
  fc.constantFrom('', 'Z', '+00', '-00:00', '+0530', '-18:00', '+18'),
  fc.tuple(fc.constantFrom('+', '-'), pad(0, 15), fc.constantFrom('', ':'), pad(0, 59)).map((parts) => parts.join('')),
);
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => text.map((some) => `"${some}"`);

test.each<[string, fc.Arbitrary<string>]>([
  ['BIGINT', whole(18)],
  ['INT', whole(9)],
  ['SMALLINT', whole(4)],
  ['TINYINT', whole(2)],
  ['DECIMAL(4,2)', fc.oneof(whole(2), point(2, 2))],
  ['DECIMAL(9,0)', whole(9)],
  ['DECIMAL(18,6)', fc.oneof(whole(12), point(9, 6))],
  ['DECIMAL(20,15)', fc.oneof(whole(5), point(1, 15))],
  ['DECIMAL(38,16)', fc.oneof(whole(18), point(5, 9))],
  ['DECIMAL(38,4)', fc.oneof(whole(18), point(12, 4))],
  ['DOUBLE', fc.oneof(whole(20), point(10, 10), point(1, 20), fc.tuple(point(3, 8), fc.constantFrom('e', 'E-', 'e+'), digits(2)).map((parts) => parts.join('')))],
  ['FLOAT', fc.oneof(whole(20), point(8, 8), point(1, 20))],
  ['DATE', quoted(day)],
  ['TIMESTAMP', quoted(fc.oneof(day, fc.tuple(local, zone).map((parts) => parts.join(''))))],
  ['TIMESTAMP_NTZ', quoted(fc.oneof(day, local))],
  ['BOOLEAN', fc.constantFrom('true', 'false')],
  ['STRING', fc.oneof(fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)), quoted(digits(30)))],
  ['ARRAY<DOUBLE>', fc.array(point(3, 3)).map((some) => `[${some.join(', ')}]`)],
  ['STRUCT<a: STRING, b: INT>', fc.string().map((text) => JSON.stringify({ a: text, b: 1 }))],
])('%s', async (type, value) => {
  const own = spec(`v ${type}, n INT`);
  let split = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof({ weight: 20, arbitrary: value }, fc.constant('null')), { minLength: 400, maxLength: 400 }), async (values) => {
      const records = values.map((text, i) => `{"v":${text},"n":${String(i)}}`);
      const looked = await tables.looked(own, records);
      expect(looked.found).toEqual(await tables.unseen(own, records));
      split += looked.split;
    }),
    { numRuns: 5 },
  );
  expect(split).toBeGreaterThan(300);
}); // prettier-ignore

test('a field that is left out is null, also where another order of the fields was tried first', async () => {
  const own = spec('a BIGINT, b STRING, c BOOLEAN');
  const turned = Array.from(
    { length: 60 },
    (_, i) => `{"c":true,"b":"a text of more than twelve bytes","a":${String(i)}}`,
  );
  await tables.looked(own, turned);
  const values = [
    '{"c":true}',
    '{"b":"x","a":5}',
    '{"a":1,"b":"y","c":null}',
    '{"a":1}',
    '{"c":false,"b":"z","a":2}',
    '{"a":1,"b":"half',
  ];
  const { found, split } = await tables.looked(own, values);
  expect(found).toEqual(await tables.unseen(own, values));
  expect(found.good.map(({ a, b, c }) => [a, b, c])).toEqual([
    [null, null, true],
    [5n, 'x', null],
    [1n, 'y', null],
    [1n, null, null],
    [2n, 'z', false],
  ]);
  expect(split).toBeGreaterThanOrEqual(3);
});

test('a schema too wide for a column each is read whole', async () => {
  const names = Array.from({ length: 150 }, (_, i) => `c${String(i)}`);
  const own = spec(names.map((name) => `${name} INT`).join(', '));
  const values = [JSON.stringify(Object.fromEntries(names.map((name, i) => [name, i]))), '{"c7":"7"}'];
  const { found, split } = await tables.looked(own, values);
  expect(split).toBe(0);
  expect(found).toEqual(await tables.unseen(own, values));
  expect(found.good[0]).toMatchObject({ c0: 0, c149: 149 });
});
