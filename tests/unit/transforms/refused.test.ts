/** Projects that are wrong: the place, the line, a caret, and what was probably meant. Nothing is run. */
import { afterEach, expect, test } from 'vitest';
import { SmallProject } from './small-project.ts';

let project: SmallProject;
afterEach(() => project.remove());

const BRONZE =
  "CREATE STREAMING TABLE bronze.orders AS SELECT * FROM STREAM generate(dataset => 'orders', rows => 10);";

interface Wrong {
  readonly what: string;
  readonly sql: string;
  readonly code: string;
  /** The text that the place must point at. */
  readonly at: string;
  readonly advice?: RegExp;
}

const WRONG: readonly Wrong[] = [
  { what: 'a misspelt statement', sql: 'CREATE STREAMING TABEL a.b AS SELECT 1', code: 'SQL_SYNTAX', at: 'TABEL' },
  { what: 'a misspelt source', sql: "CREATE STREAMING TABLE a.b AS SELECT * FROM STREAM read_kafak(subscribe => 'x')", code: 'SQL_INVALID', at: 'read_kafak', advice: /read_kafka/ },
  { what: 'a misspelt option', sql: "CREATE STREAMING TABLE a.b AS SELECT * FROM STREAM generate(datset => 'orders')", code: 'CONFIG_INVALID', at: 'datset', advice: /dataset/ },
  { what: 'a misspelt table', sql: 'CREATE MATERIALIZED VIEW a.b AS SELECT * FROM bronze.order', code: 'UNKNOWN_TABLE', at: 'bronze.order', advice: /bronze\.orders/ },
  { what: 'a misspelt column', sql: 'CREATE MATERIALIZED VIEW a.b AS SELECT amonut FROM bronze.orders', code: 'UNKNOWN_COLUMN', at: 'amonut', advice: /amount/ },
  { what: 'a misspelt column in an expectation', sql: 'CREATE STREAMING TABLE a.b (CONSTRAINT c EXPECT (amonut > 0)) AS SELECT amount FROM STREAM(bronze.orders)', code: 'UNKNOWN_COLUMN', at: 'amonut' },
  { what: 'a misspelt type in a schema', sql: "CREATE STREAMING TABLE a.b AS SELECT * FROM STREAM read_kafka(bootstrapServers => 'a:1', subscribe => 'x', schema => 'id BIGNIT')", code: 'TYPE_UNSUPPORTED', at: 'BIGNIT', advice: /BIGINT/ },
  { what: 'a word of another dialect', sql: 'CREATE TABLE a.b AS SELECT 1', code: 'SQL_SYNTAX', at: 'CREATE TABLE', advice: /CREATE STREAMING TABLE/ },
  { what: 'AUTO CDC', sql: 'CREATE FLOW x AS AUTO CDC INTO a.b FROM STREAM(bronze.orders) KEYS (order_id) SEQUENCE BY ts', code: 'SQL_SYNTAX', at: 'CREATE FLOW' },
  { what: 'an aggregate over a stream', sql: 'CREATE STREAMING TABLE a.b AS SELECT count(*) AS n FROM STREAM(bronze.orders)', code: 'STREAMING_MISUSE', at: 'count(*)', advice: /MATERIALIZED VIEW/ },
  { what: 'a streaming table without a stream', sql: 'CREATE STREAMING TABLE a.b AS SELECT * FROM bronze.orders', code: 'STREAMING_MISUSE', at: 'a.b', advice: /STREAM/ },
  { what: 'a partition column that is not there', sql: 'CREATE STREAMING TABLE a.b PARTITIONED BY (dya) AS SELECT ts::DATE AS day FROM STREAM(bronze.orders)', code: 'UNKNOWN_COLUMN', at: 'dya', advice: /day/ },
  { what: 'a type that no table has', sql: 'CREATE MATERIALIZED VIEW a.b AS SELECT INTERVAL 1 DAY AS i', code: 'TYPE_UNSUPPORTED', at: 'i;' },
  { what: 'a variable without a value', sql: "CREATE STREAMING TABLE a.b AS SELECT * FROM STREAM generate(dataset => '${NOT_SET}')", code: 'SQL_SYNTAX', at: '${NOT_SET}', advice: /:-default/ },
  { what: 'a table that is made twice', sql: 'CREATE MATERIALIZED VIEW bronze.orders AS SELECT 1 AS one', code: 'DUPLICATE_TABLE', at: 'bronze.orders' },
  { what: 'a table that reads itself', sql: 'CREATE MATERIALIZED VIEW a.b AS SELECT * FROM a.b', code: 'CYCLE', at: 'a.b' },
  { what: 'a query that DuckDB cannot parse', sql: 'CREATE MATERIALIZED VIEW a.b AS SELECT FROM WHERE', code: 'SQL_SYNTAX', at: 'WHERE' },
]; // prettier-ignore

test.each(WRONG)('$what', async ({ sql, code, at, advice }) => {
  project = await SmallProject.create({ 'a.sql': BRONZE, 'b/wrong.sql': `-- ünï\n\n  ${sql};\n` });
  const error = await project.refusal();
  expect(error.code, error.message).toBe(code);
  const [, line = '', column = ''] = /pipelines\/b\/wrong\.sql:(\d+):(\d+)/.exec(error.message) ?? [];
  expect(error.message).toContain('wrong.sql:3:');
  expect(Number(line)).toBe(3);
  expect(`  ${sql};`.slice(Number(column) - 1), error.message).toMatch(new RegExp(`^${escaped(at)}`));
  expect(error.message).toMatch(/\n\s+\| +\^/);
  if (advice !== undefined) expect(error.advice).toMatch(advice);
});

test('several wrong files are told at once, each with its place', async () => {
  project = await SmallProject.create({
    'a.sql': 'CREATE STREAMING TABEL a.b AS SELECT 1;',
    'b.sql': 'CREATE MATERIALIZED VIEW a.c AS SELECT * FROM nowhere.at_all;',
  });
  const { message } = await project.refusal();
  expect(message).toContain('pipelines/a.sql:1:18');
});

test('variables come from the environment, and their values are in no message', async () => {
  const sql =
    "CREATE STREAMING TABLE a.b AS SELECT nope FROM STREAM generate(dataset => '${WHICH}', rows => ${ROWS:-5});";
  project = await SmallProject.create(sql);
  const error = await project.refusal({ WHICH: 'orders' });
  expect(error.code).toBe('UNKNOWN_COLUMN');
  const secret = await project.refusal({ WHICH: 'a-secret-value' });
  expect(secret.code).toBe('CONFIG_INVALID');
});

test('the order of files and statements does not matter', async () => {
  project = await SmallProject.create({
    'a.sql':
      'CREATE MATERIALIZED VIEW gold.n AS SELECT count(*) AS n FROM big; CREATE TEMPORARY VIEW big AS SELECT * FROM silver.orders;',
    'b.sql': 'CREATE STREAMING TABLE silver.orders AS SELECT order_id FROM STREAM bronze.orders;',
    'z.sql': BRONZE,
  });
  const checked = await project.check();
  expect(checked.map(({ flow }) => flow.target)).toEqual(['bronze.orders', 'silver.orders', 'gold.n']);
  expect(checked.map(({ schema }) => schema.fields.map(({ name }) => name).slice(0, 2))).toEqual([
    ['order_id', 'customer_id'],
    ['order_id'],
    ['n'],
  ]);
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
