/** What is matched in the text of statistics is what a parse of them gives, whatever the columns are called and hold. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseJson, type JsonObject } from '../../../core/json.ts';
import { columnStatsReader } from '../../../tables/log/column-stats.ts';

const name = fc.oneof(
  fc.constantFrom('id', 'i', 'd', 'minValues', 'a.b', 'a"b', '(id|x)', '__proto__', ''),
  fc.string(),
);
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map(String);
const text = fc.oneof(fc.string(), fc.constantFrom('"', '\\', '}', '"id":1', ',', '\n')).map((s) => JSON.stringify(s));
const nested = fc.constantFrom('{"id":7}', '{}', '{"minValues":{"id":1}}');
const value = fc.oneof(number, text, fc.constantFrom('null', 'true', '9223372036854775807'), nested);
const members = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .uniqueArray(fc.tuple(name, of), { maxLength: 5, selector: ([key]) => key })
    .map((all) => `{${all.map(([key, one]) => `${JSON.stringify(key)}:${one}`).join(',')}}`);
const stats = fc
  .record({
    numRecords: fc.nat({ max: 3 }).map(String),
    minValues: members(value),
    maxValues: members(value),
    nullCount: members(fc.nat({ max: 3 }).map(String)),
    tightBounds: fc.constantFrom(undefined, 'true', 'false'),
  })
  .map((all) => Object.entries(all).flatMap(([key, one]) => (one === undefined ? [] : [`"${key}":${one}`])))
  .map((parts) => `{${parts.join(',')}}`);

function plain(all: string, column: string): object {
  const { minValues, maxValues, nullCount, numRecords } = parseJson(all) as Record<string, JsonObject>;
  const own = (of: JsonObject | undefined): unknown =>
    of !== undefined && Object.hasOwn(of, column) ? of[column] : undefined;
  const nulls = own(nullCount);
  return { low: own(minValues), high: own(maxValues), isAllNull: Number(nulls) > 0 && nulls === Number(numRecords) };
}

test('a column is found as in a parse of the whole', () => {
  fc.assert(
    fc.property(stats, name, (all, column) => {
      expect(columnStatsReader(column)(all)).toEqual(plain(all, column));
    }),
    { numRuns: 2000 },
  );
});

describe('statistics as writers give them', () => {
  const read = columnStatsReader('id');

  it.each([
    [
      '{"numRecords":2,"minValues":{"a":"x","id":-1},"maxValues":{"a":"y","id":9223372036854775807},"nullCount":{"a":0,"id":0}}',
      -1,
      9223372036854775807n,
      false,
    ],
    [
      '{"numRecords":2,"minValues":{"id":1.5e3},"maxValues":{"id":2},"nullCount":{"id":2},"tightBounds":false}',
      1500,
      2,
      true,
    ],
    ['{ "numRecords": 2, "minValues": {"id": 1}, "nullCount": {"id": 0} }', 1, undefined, false],
    ['{"numRecords":2,"minValues":{"s":{"id":3},"id":1},"maxValues":{"id":2},"nullCount":{"id":0}}', 1, 2, false],
    ['{"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"id":2}}', undefined, undefined, true],
    ['{"numRecords":2}', undefined, undefined, false],
  ])('%s', (all, low, high, isAllNull) => {
    expect(read(all)).toEqual({ low, high, isAllNull });
  });

  it.each([
    '',
    '{',
    '[]',
    '{"numRecords":01,"minValues":{"id":1},"maxValues":{"id":2},"nullCount":{"id":0}}',
    '{"numRecords":1,"minValues":{"id":1,"a":"\n"},"maxValues":{"id":2},"nullCount":{"id":0}}',
  ])('%j say nothing', (all) => {
    expect(read(all)).toBeUndefined();
  });
});
