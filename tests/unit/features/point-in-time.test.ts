/** Exports against a model that looks at every row for every label: nothing known later leaks in, and no label is lost. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  exportFeatures,
  loadFeatureSets,
  pinnedVersions,
  type ExportFormat,
  type Manifest,
} from '../../../features/index.ts';
import { errorOf, TestLake } from '../query/lake.ts';

let lake: TestLake;
beforeEach(async () => {
  lake = await TestLake.open();
  await mkdir(join(lake.folder, 'features'));
});
afterEach(() => lake.close());

const SET = `
name: churn
labels: { table: bronze.labels, entity: id, time: seen_at, columns: label }
features:
  - name: last
    table: silver.facts
    event_time: happened
    arrival_time: arrived
    ttl: 20 seconds
    columns: [value, { doubled: value * 2 }]
`;

interface Fact {
  readonly id: number | null;
  readonly happened: number;
  readonly arrived: number;
  readonly value: number;
}
interface Label {
  readonly id: number | null;
  readonly at: number;
  readonly label: number;
}

const TIME = (second: number): string => `TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL ${String(second)} SECOND`;
const ID = (id: number | null): string => (id === null ? 'NULL::BIGINT' : `${String(id)}::BIGINT`);

async function write(facts: readonly Fact[], labels: readonly Label[]): Promise<void> {
  const none = facts.length === 0 ? ' WHERE false' : '';
  const rows = facts.map(
    ({ id, happened, arrived, value }) => `(${ID(id)}, ${TIME(happened)}, ${TIME(arrived)}, ${String(value)}::BIGINT)`,
  );
  await lake.append(
    'silver.facts',
    `SELECT * FROM (VALUES ${rows.join(', ') || `(1::BIGINT, ${TIME(0)}, ${TIME(0)}, 0::BIGINT)`}) AS f(id, happened, arrived, value)${none}`,
  );
  const known = labels.map(({ id, at, label }) => `(${ID(id)}, ${TIME(at)}, ${String(label)}::BIGINT)`);
  await lake.append('bronze.labels', `SELECT * FROM (VALUES ${known.join(', ')}) AS l(id, seen_at, label)`);
}

async function cut(
  out: string,
  format: ExportFormat = 'parquet',
  versions?: Map<string, bigint>,
  yaml = SET,
): Promise<Manifest> {
  await writeFile(join(lake.folder, 'features', 'churn.yaml'), yaml);
  const [set] = await loadFeatureSets(join(lake.folder, 'features'));
  if (set === undefined) throw new Error('no feature set');
  return exportFeatures(set, {
    catalog: lake.catalog,
    session: lake.session,
    out: join(lake.folder, out),
    format,
    clock: lake.clock,
    sluiceVersion: '0',
    ...(versions === undefined ? {} : { versions }),
  });
}

/** What a label may know: of the rows that had happened and arrived, and are not too old, the latest. */
function known(facts: readonly Fact[], { id, at }: Label): number | null {
  const order = (a: Fact, b: Fact): number => a.happened - b.happened || a.arrived - b.arrived || a.value - b.value;
  const latest = facts
    .filter((fact) => id !== null && fact.id === id && fact.happened <= at && fact.arrived <= at)
    .sort(order)
    .at(-1);
  return latest === undefined || at - latest.happened > 20 ? null : latest.value;
}

test('each label has what the model says, and is there once', { timeout: 120_000 }, async () => {
  const id = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.constant(null));
  const second = fc.integer({ min: 0, max: 40 });
  const fact = fc.record({ id, happened: second, arrived: second, value: fc.integer({ min: 0, max: 99 }) });
  const label = fc.record({ id, at: second, label: fc.integer({ min: 0, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fact, { maxLength: 25 }),
      fc.array(label, { minLength: 1, maxLength: 15 }),
      async (facts, labels) => {
        await lake.close();
        lake = await TestLake.open();
        await mkdir(join(lake.folder, 'features'));
        await write(facts, labels);
        const manifest = await cut('out');
        expect(manifest.data.rows).toBe(labels.length);
        const rows = await lake.session.rows(
          `SELECT id, epoch(seen_at - TIMESTAMPTZ '2026-01-01 00:00:00+00')::INT AS s, label, value, doubled FROM read_parquet('${join(lake.folder, 'out', 'churn.parquet')}')`,
        );
        const texts = (list: readonly unknown[][]): string[] => list.map((row) => row.map(String).join(' ')).sort();
        const seen = rows.map((row) => [row['id'], row['s'], row['label'], row['value'], row['doubled']]);
        const expected = labels.map((one) => {
          const value = known(facts, one);
          return [one.id, one.at, one.label, value, value === null ? null : value * 2];
        });
        expect(texts(seen)).toEqual(texts(expected));
      },
    ),
    { numRuns: 40 },
  );
});

test('the same versions give the same bytes, also after more rows have come, and the manifest says what they are', async () => {
  const facts = Array.from({ length: 50 }, (_, i) => ({
    id: 1 + (i % 3),
    happened: i % 40,
    arrived: i % 40,
    value: i,
  }));
  await write(
    facts,
    Array.from({ length: 20 }, (_, i) => ({ id: 1 + (i % 3), at: 2 * i, label: i % 2 })),
  );
  for (const format of ['parquet', 'csv'] as const) {
    const first = await cut('first', format);
    const bytes = await readFile(join(lake.folder, 'first', `churn.${format}`));
    expect(first.data).toMatchObject({
      rows: 20,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    });
    expect(first.columns.map(({ name }) => name)).toEqual(['id', 'seen_at', 'label', 'value', 'doubled']);
    await lake.append(
      'silver.facts',
      `SELECT 1::BIGINT AS id, ${TIME(1)} AS happened, ${TIME(1)} AS arrived, 777::BIGINT AS value`,
    );
    const pins = await pinnedVersions(join(lake.folder, 'first', 'churn.manifest.json'));
    await cut('again', format, pins);
    expect((await readFile(join(lake.folder, 'again', `churn.${format}`))).equals(bytes)).toBe(true);
    const newer = await cut('newer', format);
    expect(newer.tables['silver.facts']?.version).toBeGreaterThan(first.tables['silver.facts']?.version ?? 99);
  }
});

test.each([
  [
    'an unknown table',
    SET.replace('silver.facts', 'silver.fact'),
    'UNKNOWN_TABLE',
    /features\/churn\.yaml:6:/,
    /silver\.facts/,
  ],
  ['an unknown column', SET.replace('[value,', '[valeu,'), 'UNKNOWN_COLUMN', /features\/churn\.yaml:10:/, /value/],
  [
    'an unknown key',
    SET.replace('event_time', 'evnt_time'),
    'FEATURE_SET_INVALID',
    /features\/churn\.yaml:7:/,
    /event_time/,
  ],
  [
    'a wrong time to live',
    SET.replace('20 seconds', 'soon'),
    'FEATURE_SET_INVALID',
    /features\/churn\.yaml:9:/,
    undefined,
  ],
  ['no YAML', '{', 'FEATURE_SET_INVALID', /features\/churn\.yaml:\d+:/, undefined],
])('%s is refused with its place, and nothing is written', async (_, yaml, code, place, advice) => {
  await write([], [{ id: 1, at: 1, label: 0 }]);
  const error = await errorOf(cut('out', 'parquet', undefined, yaml));
  expect(error.code, error.message).toBe(code);
  expect(error.message).toMatch(place);
  if (advice !== undefined) expect(error.advice).toMatch(advice);
  expect(await readdir(lake.folder)).not.toContain('out');
});

test('an export that fails in the middle leaves no file, and no manifest of the one before', async () => {
  await write([{ id: 1, happened: 0, arrived: 0, value: 1 }], [{ id: 1, at: 1, label: 0 }]);
  const dividing = SET.replace('value * 2', "CASE WHEN value = 1 THEN error('no') ELSE 1 END");
  await errorOf(cut('out', 'parquet', undefined, dividing));
  expect((await readdir(join(lake.folder, 'out')).catch(() => [])).filter((name) => !name.startsWith('.'))).toEqual([]);
});
