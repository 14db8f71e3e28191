/** A file that has a row which meets a condition is never left out, also when the bounds in the log were written as FLOATs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { field, primitive, struct } from '../../../core/schema.ts';
import type { AddFile } from '../../../tables/log/actions.ts';
import { prune, type Condition } from '../../../tables/prune.ts';

const WIDENED = field('d', primitive('double'), { 'delta.typeChanges': [{ fromType: 'float', toType: 'double' }] });
const shape = { schema: struct([WIDENED]), partitionColumns: [], mapping: 'none' as const };

/** The shortest text that a FLOAT is known by, as writers put it into statistics. */
function shortest(value: number): string {
  for (let digits = 1; digits < 10; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

function fileOf(values: readonly number[]): AddFile {
  const bounds = [shortest(Math.min(...values)), shortest(Math.max(...values))];
  const stats = `{"numRecords":${String(values.length)},"minValues":{"d":${bounds[0] ?? ''}},"maxValues":{"d":${bounds[1] ?? ''}},"nullCount":{"d":0}}`;
  return { path: 'file', partitionValues: {}, bytes: 1n, modificationMs: 0, dataChange: true, stats };
}

const holds = ({ op, value }: Condition, d: number): boolean => {
  const v = Number(value);
  return { '=': d === v, '<': d < v, '<=': d <= v, '>': d > v, '>=': d >= v }[op];
};

test('bounds of 0.7 that were FLOATs do not leave out 0.699999988', () => {
  const file = fileOf([Math.fround(0.7)]);
  for (const value of ['0.69999999', String(Math.fround(0.7))]) {
    expect(prune([file], shape, [{ column: 'd', op: '<=', value }])).toEqual([file]);
    expect(prune([file], shape, [{ column: 'd', op: '=', value: String(Math.fround(0.7)) }])).toEqual([file]);
  }
  expect(prune([file], shape, [{ column: 'd', op: '<', value: '0.69' }])).toEqual([]);
});

test('any FLOATs, any condition near them', () => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
  const near = fc.tuple(float, fc.constantFrom(0, 1e-9, -1e-9, 3e-8, -3e-8)).map(([value, more]) => value * (1 + more));
  const ops = fc.constantFrom<Condition['op']>('=', '<', '<=', '>', '>=');
  fc.assert(
    fc.property(fc.array(float, { minLength: 1, maxLength: 5 }), near, ops, fc.nat(4), (values, v, op, pick) => {
      const value = op === '=' ? (values[pick % values.length] ?? v) : v;
      const condition: Condition = { column: 'd', op, value: String(value) };
      if (values.some((d) => holds(condition, d))) expect(prune([fileOf(values)], shape, [condition])).toHaveLength(1);
    }),
    { numRuns: 3000 },
  );
});
