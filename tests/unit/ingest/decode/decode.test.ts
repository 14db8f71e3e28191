/** Each record is read or kept, once: never both, never neither, and with the values that it has. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringifyJson } from '../../../../core/json.ts';
import { Engine } from '../../../../engine/engine.ts';
import type { Session } from '../../../../engine/session.ts';
import { textOf, type Row } from '../../../../engine/values.ts';
import { decodeBatch, plainRecords, type DecodeSpec } from '../../../../ingest/decode/decode.ts';
import { parseSchema } from '../../../../core/schema-text.ts';
import { afterPositions } from '../../../../ingest/quarantine.ts';
import { RECORD_COLUMNS, UNSURE_COLUMN } from '../../../../ingest/record.ts';

let engine: Engine;
let session: Session;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '300MB', threads: 2 });
  session = await engine.session();
});
afterAll(() => {
  session.close();
  engine.close();
});

function json(schema: string, rescuedDataColumn: string | undefined = '_rescued_data'): DecodeSpec {
  return { format: 'json', schema: parseSchema(schema), rescuedDataColumn };
}

interface Decoded {
  readonly good: readonly Row[];
  readonly bad: readonly Row[];
}

let tables = 0;

type RecordValue = string | Uint8Array | null;

/** Decodes values as records with offsets from 0 on: as from a source that has looked at them, and as from one that has not. */
async function decode(spec: DecodeSpec, values: readonly RecordValue[]): Promise<Decoded> {
  const unsure = values.map((value) => isUnsure(spec, value));
  const looked = await decodeAs(spec, values, unsure);
  const unseen = await decodeAs(spec, values, undefined);
  expect(looked).toEqual(unseen);
  return looked;
}

function isUnsure(spec: DecodeSpec, value: RecordValue): boolean {
  const bytes = Buffer.from(value ?? '');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return plainRecords(spec)?.takes(bytes, view, 0, bytes.length) !== true;
}

async function decodeAs(
  spec: DecodeSpec,
  values: readonly RecordValue[],
  unsure: readonly boolean[] | undefined,
): Promise<Decoded> {
  const table = `raw_${String(++tables)}`;
  await session.run(`CREATE TABLE ${table} (${RECORD_COLUMNS.join(', ')}, ${UNSURE_COLUMN} BOOLEAN)`);
  const appender = await session.appender(table);
  for (let at = 0; at < values.length; at += 2000) {
    const part = values.slice(at, at + 2000);
    const bytes = part.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
    const column = <T>(of: (i: number) => T): T[] => part.map((_, i) => of(at + i));
    appender.append(
      [column(() => 'orders'), new Int32Array(part.length), Float64Array.from(column((i) => i)), column(() => 0n), column((i) => Buffer.from(String(i))), bytes, [], unsure === undefined ? [] : column((i) => unsure[i] === true || null)],
      part.length,
    ); // prettier-ignore
  }
  appender.close();
  const decoded = await decodeBatch(session, { relation: table, unsureRows: unsure?.filter((is) => is).length }, spec);
  try {
    const good = await session.rows(
      `SELECT * EXCLUDE (_metadata), _metadata."offset" AS o FROM ${decoded.good} AS good ORDER BY o`,
    );
    const bad =
      decoded.bad === undefined ? [] : await session.rows(`SELECT * FROM ${decoded.bad} AS bad ORDER BY "offset"`);
    return { good, bad };
  } finally {
    await decoded.release();
    await session.run(`DROP TABLE ${table}`);
  }
}

test('values keep every digit, and nested ones their shape', async () => {
  const spec = json(
    'id BIGINT, price DECIMAL(38,10), tags ARRAY<STRING>, at TIMESTAMP, inner STRUCT<a: INT, b: MAP<STRING, BIGINT>>',
  );
  const { good, bad } = await decode(spec, [
    '{"id":9223372036854775807,"price":1234567890123456789012345678.0123456789,"tags":["a",null,"ü😀"],"at":"2026-01-01T00:00:00.123456Z","inner":{"a":1,"b":{"x":-9223372036854775808}}}',
    '{"id":-9223372036854775808}',
    '{}',
  ]);
  expect(bad).toEqual([]);
  expect(good[0]).toMatchObject({
    id: 9223372036854775807n,
    price: '1234567890123456789012345678.0123456789',
    tags: ['a', null, 'ü😀'],
    at: '2026-01-01 00:00:00.123456+00',
    inner: { a: 1, b: [{ key: 'x', value: -9223372036854775808n }] },
    _rescued_data: null,
  });
  expect(good[1]).toMatchObject({ id: -9223372036854775808n, price: null, tags: null });
  expect(good[2]).toMatchObject({ id: null, _rescued_data: null, o: 2n });
});

test.each([
  ['no value', null, 'NULL_VALUE'],
  ['an empty value', '', 'MALFORMED_JSON'],
  ['bytes that are no text', Uint8Array.of(0x7b, 0xff, 0x7d), 'NOT_UTF8'],
  ['an object that ends too early', '{"id":1', 'MALFORMED_JSON'],
  ['more after the object', '{"id":1}{"id":2}', 'MALFORMED_JSON'],
  ['a comma too many', '{"id":1,}', 'MALFORMED_JSON'],
  ['single quotes', "{'id':1}", 'MALFORMED_JSON'],
  ['NaN', '{"id":NaN}', 'MALFORMED_JSON'],
  ['a leading zero', '{"id":01}', 'MALFORMED_JSON'],
  ['a comment', '{"id":1 /* one */}', 'MALFORMED_JSON'],
  ['a raw line break in a text', '{"name":"a\nb"}', 'MALFORMED_JSON'],
  ['a list', '[1]', 'NOT_AN_OBJECT'],
  ['a number', '5', 'NOT_AN_OBJECT'],
  ['a field twice', '{"id":1,"id":2}', 'DUPLICATE_FIELD'],
])('%s goes to quarantine with its bytes', async (_, value, code) => {
  const { good, bad } = await decode(json('id BIGINT, name STRING'), ['{"id":7,"name":"fine"}', value]);
  expect(good).toMatchObject([{ id: 7n, o: 0n }]);
  expect(bad).toHaveLength(1);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  expect(bad[0]).toMatchObject({ topic: 'orders', partition: 0, offset: 1n, error_code: code });
  expect(bad[0]?.['value'] === null ? null : Buffer.from(bad[0]?.['value'] as Uint8Array)).toEqual(
    bytes === null ? null : Buffer.from(bytes),
  );
  expect(bad[0]?.['error_message']).not.toBe('');
});

test('what does not fit is rescued, or quarantined where there is no column for it', async () => {
  const values = [
    '{"id":"x","name":"a"}',
    '{"id":1,"name":"a","more":[1,{"b":2}]}',
    '{"id":2,"name":"a"}',
    '{"id":9223372036854775808,"name":"a"}',
  ];
  const { good, bad } = await decode(json('id BIGINT, name STRING'), values);
  expect(bad).toEqual([]);
  expect(good.map(({ id, name }) => [id, name])).toEqual([[null, 'a'], [1n, 'a'], [2n, 'a'], [null, 'a']]); // prettier-ignore
  const rescued = good.map((row) => row['_rescued_data']);
  expect(rescued[2]).toBeNull();
  expect(JSON.parse(rescued[0] as string)).toMatchObject({ id: 'x' });
  expect(JSON.parse(rescued[1] as string)).toMatchObject({ more: [1, { b: 2 }] });
  expect(rescued[3]).toContain('9223372036854775808');

  const without = await decode(
    { format: 'json', schema: parseSchema('id BIGINT, name STRING'), rescuedDataColumn: undefined },
    values,
  );
  expect(without.good.map(({ id }) => id)).toEqual([2n]);
  expect(without.bad.map((row) => row['error_code'])).toEqual(['TYPE_MISMATCH', 'UNKNOWN_FIELD', 'TYPE_MISMATCH']);
});

test('a NOT NULL column keeps records without it out', async () => {
  const { good, bad } = await decode(json('id BIGINT NOT NULL, name STRING'), [
    '{"name":"a"}',
    '{"id":null}',
    '{"id":1}',
  ]);
  expect(good.map(({ id }) => id)).toEqual([1n]);
  expect(bad.map((row) => row['error_code'])).toEqual(['NULL_FIELD', 'NULL_FIELD']);
});

test('text and bytes as they are', async () => {
  const values = ['plain', '', null, Uint8Array.of(0xff)];
  const text = await decode({ format: 'string' }, values);
  expect(text.good.map(({ value }) => value)).toEqual(['plain', '', null]);
  expect(text.bad.map((row) => row['error_code'])).toEqual(['NOT_UTF8']);
  const bytes = await decode({ format: 'binary' }, values);
  expect(bytes.good).toHaveLength(4);
  expect(bytes.bad).toEqual([]);
});

test(
  'any mixture of records: each is in one place, with the values that JSON.parse sees',
  { timeout: 120_000 },
  async () => {
    const spec = json('id BIGINT, name STRING, flag BOOLEAN, ratio DOUBLE');
    const fitting = fc.record(
      {
        id: fc.oneof(fc.integer(), fc.constant(null)),
        name: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null)),
        flag: fc.boolean(),
        ratio: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      },
      { requiredKeys: [] },
    );
    const other = fc.dictionary(
      fc.constantFrom('id', 'name', 'flag', 'ratio', 'other', 'Id'),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const spaced = fc
      .tuple(fc.oneof({ weight: 5, arbitrary: fitting }, other), fc.boolean())
      .map(([value, pretty]) => (pretty ? JSON.stringify(value, undefined, 1) : stringifyJson(value)));
    const broken = fc.oneof(
      fc.string(),
      spaced.map((text) => text.slice(0, -1)),
      fc.json(),
    );
    const record = fc.oneof({ weight: 6, arbitrary: spaced }, broken, fc.constant(null));
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 120 }), async (values) => {
        const { good, bad } = await decode(spec, values);
        const places = [...good.map(({ o }) => o), ...bad.map(({ offset }) => offset)]
          .map(Number)
          .sort((a, b) => a - b);
        expect(places).toEqual(values.map((_, i) => i));
        for (const row of good) {
          const text = values[Number(row['o'])] ?? '';
          const object = JSON.parse(text) as Record<string, unknown>;
          const rescued = textOf(row['_rescued_data']);
          for (const [field, type] of [
            ['id', 'number'],
            ['name', 'string'],
            ['flag', 'boolean'],
            ['ratio', 'number'],
          ] as const) {
            // prettier-ignore
            const [seen, sent] = [row[field], object[field]];
            if (seen === null || seen === undefined) {
              const fits = typeof sent === type && (field !== 'id' || Number.isSafeInteger(sent));
              expect(fits && !rescued.includes(`"${field}"`), text).toBe(false);
            } else if (field === 'name' && typeof sent !== 'string') {
              expect(JSON.parse(textOf(seen)), text).toEqual(sent);
            } else {
              expect(typeof seen === 'bigint' ? Number(seen) : seen, text).toEqual(
                typeof sent === 'number' ? sent + 0 : sent,
              );
            }
          }
          for (const field of Object.keys(object))
            if (!['id', 'name', 'flag', 'ratio'].includes(field))
              expect(rescued, text).toContain(JSON.stringify(field));
        }
      }),
      { numRuns: 60 },
    );
  },
);

test('quarantine that is ahead of a batch skips what it has', async () => {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE bad AS SELECT 'orders' AS topic, (range % 2)::INT AS "partition", range // 2 AS "offset" FROM range(20)`,
  );
  const left = await session.rows(
    `SELECT "partition", min("offset") AS first, count(*) AS n FROM ${afterPositions('bad', new Map([['orders/0', 4n]]))} GROUP BY 1 ORDER BY 1`,
  );
  expect(left).toEqual([{ partition: 0, first: 4n, n: 6n }, { partition: 1, first: 0n, n: 10n }]); // prettier-ignore
});

test.each(['MAP<STRING, INT>', 'ARRAY<BINARY>', 'STRUCT<b: BINARY>'])(
  'null is refused by a NOT NULL column of a type that has no fast road: %s',
  async (type) => {
    const { good, bad } = await decode(json(`m ${type} NOT NULL, a INT`), ['{"m":null,"a":1}']);
    expect(good).toEqual([]);
    expect(bad).toMatchObject([{ offset: 0n, error_code: 'NULL_FIELD' }]);
  },
);

test('a double keeps the sign of zero', async () => {
  const { good } = await decode(json('d DOUBLE, f FLOAT'), [
    '{"d":-0,"f":-0}',
    '{"d":-0.0,"f":-0.0}',
    '{"d":-0e1,"f":0}',
  ]);
  expect(good.map((row) => [row['d'], row['f']])).toEqual([[-0, -0], [-0, -0], [-0, 0]]); // prettier-ignore
});
