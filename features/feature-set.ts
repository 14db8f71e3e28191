/**
 * Feature sets: which features a training set has, from which tables, and how they are joined to its labels.
 *
 * Promise: a wrong file gives one error with file, line and column; names are unique; what is loaded says everything that an
 * export needs but the table versions.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { messageOf, SluiceError, systemCodeOf } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import { SourceText, type Span } from '../core/source-text.ts';
import { parseYaml, say } from '../core/yaml.ts';

export interface FeatureColumn {
  /** Its name in the export. */
  readonly name: string;
  /** A column of the source, or an expression over its columns in the SQL of DuckDB. */
  readonly value: { readonly kind: 'column'; readonly column: string } | { readonly kind: 'sql'; readonly sql: string };
}

export interface FeatureView {
  readonly name: string;
  /** `schema.table` */
  readonly table: string;
  /** The columns that hold the entity, in the order of the labels' entity. */
  readonly entity: readonly string[];
  /** When a row became true. */
  readonly eventTime: string;
  /** When it became known, if that may be later: an export never uses a row before. */
  readonly arrivalTime: string | undefined;
  /** A value older than this, at the time of the label, is none. */
  readonly ttlMs: number | undefined;
  readonly columns: readonly FeatureColumn[];
}

export interface FeatureSet {
  readonly name: string;
  readonly description: string | undefined;
  readonly labels: {
    readonly table: string;
    readonly entity: readonly string[];
    readonly time: string;
    readonly columns: readonly string[];
  };
  readonly views: readonly FeatureView[];
  /** SHA-256 of the definition; white space, comments and the description do not count. */
  readonly hash: string;
  /** The file, and where in it a part of the definition stands. */
  readonly source: SourceText;
  readonly spanOf: (path: readonly PropertyKey[]) => Span;
}

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = {
  second: 1000, minute: 60_000, hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS,
}; // prettier-ignore
const TTL = /^(\d+)\s*(second|minute|hour|day|week)s?$/i;

const name = say('must be a name: letters, digits and _');
const Name = z.string(name).regex(/^[\p{L}_][\p{L}\p{N}_]*$/u, name);
const text = say('must be a text that is not empty');
const Text = z.string(text).min(1, text);
const table = say('must be a table, as silver.orders');
const Table = z.string(table).regex(/^[^.\s]+\.[^.\s]+$/, table);
const names = say('must be the name of a column, or a list of them');
const Columns = z
  .union([z.string(names).min(1, names), z.array(z.string(names).min(1, names), names).min(1, names)], names)
  .transform((columns) => (typeof columns === 'string' ? [columns] : columns));
const feature = say("must be the name of a column, or 'name: SQL expression'");
const Feature = z
  .union([z.string(feature).min(1, feature), z.record(Name, Text)], feature)
  .transform((column, context): FeatureColumn => {
    if (typeof column === 'string') return { name: column, value: { kind: 'column', column } };
    const [only, ...more] = Object.entries(column);
    if (only !== undefined && more.length === 0) return { name: only[0], value: { kind: 'sql', sql: only[1] } };
    context.addIssue({ code: 'custom', message: "must be one 'name: SQL expression' each" });
    return z.NEVER;
  });
const ttl = say("must be a time, as '30 days' (seconds, minutes, hours, days or weeks)");
const Ttl = z
  .string(ttl)
  .regex(TTL, ttl)
  .transform((written) => {
    const [, count = '0', unit = ''] = TTL.exec(written) ?? [];
    return Number(count) * (UNITS_MS[unit.toLowerCase()] ?? 0);
  });
const list = say('must be a list with one entry at least');
const object = say('must hold keys and values');

const objectOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : object.error(issue)) });

const Definition = objectOf({
  name: Name,
  description: Text.optional(),
  labels: objectOf({ table: Table, entity: Columns, time: Text, columns: Columns }),
  features: z
    .array(
      objectOf({
        name: Name,
        table: Table,
        entity: Columns.optional(),
        event_time: Text,
        arrival_time: Text.optional(),
        ttl: Ttl.optional(),
        columns: z.array(Feature, list).min(1, list),
      }),
      list,
    )
    .min(1, list),
});

/**
 * Reads one feature set.
 * @throws SluiceError `FEATURE_SET_INVALID` with the place in the file.
 * @example parseFeatureSet(new SourceText('features/churn.yaml', text)).views[0]?.table // 'silver.orders'
 */
function parseFeatureSet(source: SourceText): FeatureSet {
  const { value, spanOf } = parseYaml(source, Definition, { code: 'FEATURE_SET_INVALID' });
  const views = value.features.map((view): FeatureView => ({
    name: view.name,
    table: view.table,
    entity: view.entity ?? value.labels.entity,
    eventTime: view.event_time,
    arrivalTime: view.arrival_time,
    ttlMs: view.ttl,
    columns: view.columns,
  }));
  const refuse = (path: readonly PropertyKey[], what: string, advice: string): never => {
    throw source.error('FEATURE_SET_INVALID', spanOf(path), what, { advice });
  };
  const viewNames = new Set<string>();
  const taken = new Set([...value.labels.entity, value.labels.time, ...value.labels.columns].map(lower));
  if (taken.size < value.labels.entity.length + 1 + value.labels.columns.length) {
    refuse(['labels'], 'a column of the labels is named twice', 'Name each of entity, time and columns once.');
  }
  for (const [i, view] of views.entries()) {
    if (viewNames.has(lower(view.name))) {
      refuse(['features', i, 'name'], `there are two features named ${view.name}`, 'Give each a name of its own.');
    }
    viewNames.add(lower(view.name));
    if (view.entity.length !== value.labels.entity.length) {
      const wanted = `${String(value.labels.entity.length)} columns (${value.labels.entity.join(', ')})`;
      refuse(['features', i, 'entity'], `the entity of the labels has ${wanted}`, 'Name as many, in the same order.');
    }
    for (const [j, column] of view.columns.entries()) {
      if (taken.has(lower(column.name))) {
        const advice = `Give it another name: '${view.name}_${column.name}: ${column.name}'.`;
        refuse(['features', i, 'columns', j], `the export has a column ${column.name} already`, advice);
      }
      taken.add(lower(column.name));
    }
  }
  const meaning = {
    name: value.name,
    labels: value.labels,
    views: views.map((view) => ({
      ...view,
      columns: view.columns.map((column) => ({ name: column.name, value: { ...column.value } })),
    })),
  };
  const hash = createHash('sha256').update(stringifyJson(meaning)).digest('hex');
  return { name: value.name, description: value.description, labels: value.labels, views, hash, source, spanOf };
}

/**
 * Reads every `*.yaml` (or `*.yml`) of a folder, sorted by name; a folder that is not there has none.
 * @throws SluiceError `FEATURE_SET_INVALID`
 * @example (await loadFeatureSets('features')).find((set) => set.name === 'churn')
 */
export async function loadFeatureSets(folder: string): Promise<FeatureSet[]> {
  const sets = new Map<string, FeatureSet>();
  for (const file of await yamlFiles(folder)) {
    const set = parseFeatureSet(
      new SourceText(`${basename(folder)}/${file}`, await readFile(join(folder, file), 'utf8')),
    );
    const other = sets.get(lower(set.name));
    if (other !== undefined) {
      throw set.source.error(
        'FEATURE_SET_INVALID',
        set.spanOf(['name']),
        `${other.source.file} has the name ${set.name} too`,
        {
          advice: 'Give each feature set a name of its own.',
        },
      );
    }
    sets.set(lower(set.name), set);
  }
  return [...sets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function yamlFiles(folder: string): Promise<string[]> {
  try {
    const files = await readdir(folder);
    return files.filter((file) => /\.ya?ml$/.test(file) && !file.startsWith('.')).sort();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw new SluiceError('STORAGE_FAILED', `cannot read ${folder}: ${messageOf(error)}`, {
      advice: 'Check that the folder can be read.',
      facts: { folder },
      cause: error,
    });
  }
}

function lower(text: string): string {
  return text.toLowerCase();
}
