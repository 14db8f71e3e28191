/** Partition values that SQL takes for something else unless they are written with care. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive } from '../../../core/schema.ts';
import { quoteString } from '../../../engine/quoting.ts';
import { partitionLiteral } from '../../../tables/partitions.ts';
import { placeOf } from '../../../tables/store/place.ts';
import { Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

test.each(['\\', '\\x41', 'ü=%/ 日本', "it's", 'a\0b', '\0', ''])('%j as bytes and as text', async (text) => {
  const literal = (type: 'binary' | 'string'): string => partitionLiteral(text, field('part', primitive(type)));
  const [row] = await lab.session.rows(`SELECT hex(${literal('binary')}) AS bytes, ${literal('string')} AS text`);
  const isNull = text === '';
  expect(row).toEqual({
    bytes: isNull ? null : Buffer.from(text).toString('hex').toUpperCase(),
    text: isNull ? null : text,
  });
});

test('a text with a NUL is one value', async () => {
  expect(await lab.session.rows(`SELECT ${quoteString("'\0'")} = chr(39) || chr(0) || chr(39) AS same`)).toEqual([
    { same: true },
  ]);
});

test.each(['', '../../x', 'a/%2e%2e/b', 'a%00b'])('the path %j of a file is refused as damage of the log', (path) => {
  expect(() => placeOf(lab.store(), path)).toThrow(expect.objectContaining({ code: 'LOG_CORRUPT' }));
});
