/** Projects and questions that are wrong: the place, the line, a caret, what was meant; and nothing is made. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scratch, sluice } from './sluice.ts';
import { ADVICE, BRONZE, expectError, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

test.each<[what: string, code: string, files: Record<string, string>, parts: (string | RegExp)[]]>([
  [
    'a word that does not belong there',
    'SQL_SYNTAX',
    { 'a.sql': `${BRONZE}\nCREATE STREAMING TABEL silver.orders AS SELECT 1;` },
    ['pipelines/a.sql:2:18: ', 'CREATE STREAMING TABEL', /\n +\| {18}\^{5}\n/, ADVICE],
  ],
  [
    'a query that DuckDB cannot parse',
    'SQL_SYNTAX',
    { 'a.sql': BRONZE, 'b.sql': 'CREATE MATERIALIZED VIEW gold.n AS\nSELECT count(* FROM bronze.orders;' },
    [/pipelines\/b\.sql:2:\d+: /, 'SELECT count(* FROM', /\^/],
  ],
  [
    'an unknown column',
    'UNKNOWN_COLUMN',
    {
      'a.sql': BRONZE,
      'b.sql': 'CREATE STREAMING TABLE silver.o AS SELECT order_id, amuont FROM STREAM(bronze.orders);',
    },
    ['pipelines/b.sql:1:53: ', ADVICE, /\^{6}\n/, 'Did you mean amount?'],
  ],
  [
    'an unknown table',
    'UNKNOWN_TABLE',
    { 'a.sql': BRONZE, 'b.sql': 'CREATE MATERIALIZED VIEW gold.n AS SELECT count(*) AS n FROM bronze.ordres;' },
    ['pipelines/b.sql:1:62: ', ADVICE, /\^{13}\n/, 'Did you mean bronze.orders?'],
  ],
  [
    'a pipeline that goes in a circle',
    'CYCLE',
    {
      'a.sql': 'CREATE MATERIALIZED VIEW gold.a AS SELECT * FROM gold.b;',
      'b.sql': 'CREATE MATERIALIZED VIEW gold.b AS SELECT * FROM gold.a;',
    },
    ['gold.a', 'gold.b', ADVICE, /pipelines\/[ab]\.sql:1:/],
  ],
  [
    'a variable that is not set',
    'SQL_SYNTAX',
    { 'a.sql': BRONZE.replace("'orders'", "'${SLUICE_TEST_NOT_SET}'") },
    ['pipelines/a.sql:1:', ADVICE, 'SLUICE_TEST_NOT_SET is not set', '${SLUICE_TEST_NOT_SET:-default}'],
  ],
  [
    'a setting that there is not',
    'CONFIG_INVALID',
    { 'a.sql': BRONZE, './sluice.yaml': 'name: shop\nlakee: here\n' },
    ['sluice.yaml:2:1: ', ADVICE, /\^{5}\n/, 'Did you mean lake?'],
  ],
  ['no flows at all', 'CONFIG_INVALID', {}, ['pipelines', ADVICE]],
])('%s: run and check say the same, and make nothing', async (_, code, files, parts) => {
  const root = await writeProject(await scratch.folder(), files);
  const before = await readdir(root, { recursive: true });
  const ran = await run(root);
  expectError(ran, 3, code, ...parts);
  const checked = await sluice(['check'], { cwd: root });
  expect(checked).toEqual(ran);
  expect(checked.stdout).toBe('');
  const { stdout } = await sluice(['check', '--format', 'json'], { cwd: root });
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, errors: [{ code }] });
  expect(await readdir(root, { recursive: true })).toEqual(before);
});

test.each<[what: string, code: string, table: string, column: string, parts: (string | RegExp)[]]>([
  ['an unknown table', 'UNKNOWN_TABLE', 'bronze.ordres', 'amount', [':3:30: ', 'Did you mean bronze.orders?']],
  ['an unknown column', 'UNKNOWN_COLUMN', 'bronze.orders', 'amuont', [/:3:\d+: /, /\^/, 'Did you mean amount?']],
  ['a wrong expression', 'FEATURE_SET_INVALID', 'bronze.orders', "x: 'upper(amount, 7)'", [/:3:\d+: /, /\^/]],
])('a feature set with %s is found before there is a table', async (_, code, table, column, parts) => {
  const set = [
    'name: amounts',
    'labels: { table: bronze.orders, entity: order_id, time: ts, columns: quantity }',
    `features: [{ name: a, table: ${table}, event_time: ts, columns: [${column}] }]`,
  ];
  const root = await writeProject(await scratch.folder(), { 'a.sql': BRONZE, 'features/amounts.yaml': set.join('\n') });
  const checked = await sluice(['check'], { cwd: root });
  expectError(checked, 3, code, 'features/amounts.yaml:3:', ADVICE, ...parts);
  expect(checked.stdout).toBe('');
});

test('what stands behind an error is shown with --debug only', async () => {
  const root = await writeProject(await scratch.folder(), { 'a.sql': 'CREATE STREAMING' });
  expectError(await sluice(['check'], { cwd: root }), 3, 'SQL_SYNTAX');
  expect((await sluice(['check', '--debug'], { cwd: root })).stderr).toMatch(/\n\s+at .*\.js:/);
});

let lake: string;
beforeAll(async () => {
  lake = await writeProject(await scratch.folder(), { 'a.sql': BRONZE });
  expect(await run(lake)).toMatchObject({ code: 0 });
});

test.each<[args: string[], exit: number, code: string, parts: (string | RegExp)[]]>([
  [['sql', 'SELECT FROM'], 3, 'SQL_SYNTAX', ['query:1:', /\^/]],
  [['sql', 'SELECT 1;\nSELEC 1'], 3, 'SQL_SYNTAX', ['query:2:1: ', /\^{5}\n/]],
  [['sql', 'SELECT * FROM bronze.ordres'], 3, 'UNKNOWN_TABLE', ['query:1:15: ', 'Did you mean bronze.orders?']],
  [['sql', 'SELECT amuont FROM bronze.orders'], 3, 'UNKNOWN_COLUMN', ['query:1:8: ', 'Did you mean amount?']],
  [['sql', 'DROP TABLE bronze.orders'], 3, 'SQL_NOT_READ_ONLY', ['query:1:1: ']],
  [['sql', "COPY bronze.orders TO 'x.csv'"], 3, 'SQL_NOT_READ_ONLY', ['query:1:1: ']],
  [['sql', 'SELECT CAST(product AS INT) FROM bronze.orders'], 3, 'QUERY_FAILED', ['query:1:8: ']],
  [['sql', 'SELECT * FROM bronze.orders VERSION AS OF 99'], 6, 'VERSION_NOT_FOUND', ['query:1:15: ', 'it has 0 to 1']],
  [['sql', "SELECT * FROM delta_scan('nowhere')"], 6, 'TABLE_NOT_FOUND', ['query:1:15: ', 'nowhere']],
  [['history', 'bronze.ordres'], 3, 'UNKNOWN_TABLE', ['Did you mean bronze.orders?']],
  [['features', 'export', 'churn', '-o', 'out'], 3, 'FEATURE_SET_INVALID', ['no feature set churn', ADVICE]],
])('a wrong question makes nothing: %j', async (args, exit, code, parts) => {
  const before = await readdir(lake, { recursive: true });
  expectError(await sluice(args, { cwd: lake }), exit, code, ...parts);
  expect(await readdir(lake, { recursive: true })).toEqual(before);
});

test('what was asked before a wrong statement is answered', async () => {
  const result = await sluice(['sql', '--format', 'csv'], { cwd: lake, input: 'SELECT 1 AS one; SELECT nope;' });
  expect(result.stdout).toBe('one\r\n1\r\n');
  expectError(result, 3, 'SQL_INVALID', 'stdin:1:25: ', 'nope');
});

test('a reader that goes away ends the command quietly', async () => {
  const { code, stderr } = await sluice(['sql', '--format', 'csv', 'SELECT * FROM range(10_000_000)'], {
    cwd: lake,
    closeStdout: true,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
