/** The SQL reference says what the parsers and sources really take. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SluiceError } from '../../../core/errors.ts';
import { Engine } from '../../../engine/engine.ts';
import { parseGenerateOptions } from '../../../ingest/generate/index.ts';
import { parseKafkaOptions } from '../../../ingest/kafka/index.ts';
import { RECORD_ERRORS } from '../../../ingest/quarantine.ts';
import { checkProject } from '../../../transforms/check.ts';
import { loadProject } from '../../../transforms/project.ts';
import { REPO } from '../../services/cache.ts';

const page = await readFile(join(REPO, 'docs', 'sql.md'), 'utf8');

/** The names in the first column of the table below a heading. */
function namesBelow(heading: string): string[] {
  const section = page.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#/m)[0] ?? '';
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
}

/** The names that a parser knows, from what it says of one that it does not. */
function known(parse: () => unknown): string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof SluiceError)
      return /(?:There are|Its options are) (.*)\.$/.exec(error.advice ?? '')?.[1]?.split(', ') ?? [];
  }
  return [];
}

test('the examples are a project that checks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  const engine = await Engine.open();
  try {
    await mkdir(join(folder, 'pipelines'));
    await writeFile(join(folder, 'sluice.yaml'), '');
    const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);
    await writeFile(join(folder, 'pipelines', 'page.sql'), blocks.join('\n'));
    const checked = await checkProject(await loadProject(folder, {}), engine);
    expect(checked.map(({ flow }) => flow.target).sort()).toEqual([
      'bronze.clicks',
      'bronze.orders',
      'gold.large_by_day',
      'silver.orders',
    ]);
  } finally {
    engine.close();
    await rm(folder, { recursive: true });
  }
});

test('every option of read_kafka is described, and no other', () => {
  const taken = known(() => parseKafkaOptions(new Map([['qqqqqqqqqqqqqqqq', 1]])));
  expect(taken.length).toBeGreaterThan(10);
  const aliases = ['kafka.bootstrap.servers', 'kafka.group.id'];
  expect(namesBelow('read_kafka').sort()).toEqual(
    [...taken.filter((name) => !aliases.includes(name)), 'connection'].sort(),
  );
  for (const alias of aliases) expect(page).toContain(alias);
});

test('every option of generate is described, and no other', () => {
  const taken = known(() => parseGenerateOptions(new Map([['qqqqqqqqqqqqqqqq', 1]])));
  expect(taken.length).toBeGreaterThan(10);
  expect(namesBelow('generate').sort()).toEqual(taken.sort());
});

test('every error of a record is described, and no other', () => {
  const codes = namesBelow('From records to columns').filter((name) => /^[A-Z_\d]+$/.test(name));
  expect(codes.sort()).toEqual(Object.keys(RECORD_ERRORS).sort());
});
