import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonObject, parseJson, stringifyJson, type Json } from '../../../core/json.ts';

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/** Any JSON value with integers of any size; integers that a double holds are numbers, as parsing gives them. */
const integer = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(exactInteger);
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    integer,
    fc.bigInt(INT64).map(exactInteger),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n)),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 4 }),
  ),
})).value;

function exactInteger(n: bigint): bigint | number {
  return Number.isSafeInteger(Number(n)) ? Number(n) : n;
}

test('what is written comes back, with every digit of every integer', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(parseJson(stringifyJson(value))).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test('texts without big integers mean what JSON.parse says', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const plain = JSON.parse(text) as unknown;
      const exact = JSON.stringify(parseJson(text), (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v));
      expect(JSON.parse(exact)).toEqual(JSON.parse(JSON.stringify(plain)));
    }),
    { numRuns: 300 },
  );
});

test('the parser for big integers takes and refuses what JSON.parse does', () => {
  const big = '12345678901234567890';
  const good = [
    `{"a" : ${big} , "b":[ 1, -${big}]}`,
    `[${big},"\\u00e9\\"\\\\",1.5e3,true,null]`,
    ` ${big} `,
    `{"__proto__":${big}}`,
  ];
  for (const text of good) expect(stringifyJson(parseJson(text)), text).toBe(stringifyJson(parseJson(text)).trim());
  expect(parseJson(good[0] ?? '')).toEqual({ a: BigInt(big), b: [1, -BigInt(big)] });
  expect(parseJson(good[1] ?? '')).toEqual([BigInt(big), 'é"\\', 1500, true, null]);
  expect(Object.keys(parseJson(good[3] ?? '') as object)).toEqual(['__proto__']);
  const bad = ['', '{', `{"a":${big}`, `[${big},]`, `{"a" ${big}}`, `${big} x`, `{${big}:1}`, `[${big} 1]`, `{"a":0${big}}`, `["\n",${big}]`]; // prettier-ignore
  for (const text of bad) expect(() => parseJson(text), text).toThrow(SyntaxError);
});

test('a long text is no trouble', () => {
  const long = 'x"\\'.repeat(300_000);
  expect(parseJson(stringifyJson([12345678901234567890n, long]))).toEqual([12345678901234567890n, long]);
});

test('numbers that JSON does not have are refused, members that are undefined left out', () => {
  for (const value of [NaN, Infinity, -Infinity]) expect(() => stringifyJson([value])).toThrow('JSON has no');
  expect(stringifyJson({ a: undefined, b: 1n })).toBe('{"b":1}');
  expect(stringifyJson([])).toBe('[]');
  expect(isJsonObject([])).toBe(false);
  expect(isJsonObject(null)).toBe(false);
  expect(isJsonObject({})).toBe(true);
});
