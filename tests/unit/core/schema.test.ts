import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../../core/json.ts';
import {
  PRIMITIVES,
  primitive,
  sameType,
  typeFromJson,
  typeName,
  typeToJson,
  type DataType,
} from '../../../core/schema.ts';

const type = fc.letrec<{ type: DataType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...PRIMITIVES).map(primitive),
    fc
      .record({ precision: fc.integer({ min: 1, max: 38 }), scale: fc.nat(38) })
      .map(({ precision, scale }): DataType => ({ kind: 'decimal', precision, scale: Math.min(scale, precision) })),
    fc.record({ kind: fc.constant('array' as const), element: tie('type'), containsNull: fc.boolean() }),
    fc.record({
      kind: fc.constant('map' as const),
      key: tie('type'),
      value: tie('type'),
      valueContainsNull: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('struct' as const),
      fields: fc.array(
        fc.record({
          name: fc.string({ minLength: 1 }),
          type: tie('type'),
          nullable: fc.boolean(),
          metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
        }),
        { maxLength: 4 },
      ),
    }),
  ),
})).type;

test('every type comes back from the JSON of the log as it was', () => {
  fc.assert(
    fc.property(type, (value) => {
      const back = typeFromJson(parseJson(stringifyJson(typeToJson(value))));
      expect(back).toEqual(value);
      expect(sameType(back, value)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('types with different names are different types', () => {
  fc.assert(
    fc.property(type, type, (a, b) => {
      expect(sameType(a, b)).toBe(sameType(b, a));
      if (typeName(a) !== typeName(b)) expect(sameType(a, b)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('reads what Spark writes, and refuses a type that it does not know by name', () => {
  expect(typeFromJson('decimal(10, 2)')).toEqual({ kind: 'decimal', precision: 10, scale: 2 });
  expect(typeFromJson('decimal')).toEqual({ kind: 'decimal', precision: 10, scale: 0 });
  expect(typeName(typeFromJson({ type: 'array', elementType: 'long', containsNull: false }))).toBe('array<bigint>');
  for (const unknown of ['variant', 'void', 'interval', { type: 'udt' }, 5n, undefined]) {
    expect(() => typeFromJson(unknown)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_FEATURE' }));
  }
  expect(() => typeFromJson({ type: 'struct', fields: [{ type: 'long' }] })).toThrow(
    expect.objectContaining({ code: 'LOG_CORRUPT' }),
  );
});
