/** `sluice features`: the feature sets of a project, and training sets cut from them. */
import { join, relative, resolve } from 'node:path';
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { nameAdvice } from '../../core/suggest.ts';
import {
  exportFeatures as exportSet,
  loadFeatureSets,
  manifestFile,
  pinnedVersions,
  type ExportFormat,
  type FeatureSet,
  type Manifest,
} from '../../features/index.ts';
import { locationBelow, locationFrom, schemeOf } from '../../tables/index.ts';
import { formatBytes, formatCount } from '../format.ts';
import { write, type Io } from '../io.ts';
import { packageVersion } from '../package.ts';
import { QueryProgress } from '../progress/query.ts';
import { stopOnSignals } from '../stop.ts';
import { textTable } from '../text-table.ts';
import { requireProject, withTables } from '../workspace.ts';

export interface ListOptions {
  readonly project?: string;
  readonly format: 'table' | 'json';
}

export interface ExportOptions {
  readonly project?: string;
  readonly name: string;
  readonly out: string;
  readonly format: ExportFormat;
  /** A manifest whose table versions are used instead of the latest. */
  readonly pin?: string;
}

/** @throws SluiceError `CONFIG_INVALID`, `FEATURE_SET_INVALID` */
export async function listFeatures(io: Io, options: ListOptions): Promise<void> {
  const project = await requireProject(io, options.project);
  const sets = await loadFeatureSets(featuresFolder(project.root));
  await write(io.stdout, options.format === 'json' ? asJson(sets) : asText(io, sets));
}

/** @throws SluiceError `FEATURE_SET_INVALID`, `UNKNOWN_*`, `STORAGE_*`, `INTERRUPTED`; then nothing was written */
export async function exportFeatures(io: Io, options: ExportOptions): Promise<void> {
  await withTables(io, options.project, async ({ root, parts, catalog, cleanUp }) => {
    const sets = await loadFeatureSets(featuresFolder(root));
    const set = sets.find(({ name }) => name.toLowerCase() === options.name.toLowerCase());
    if (set === undefined) throw unknownSet(options.name, sets);
    const versions = options.pin === undefined ? undefined : await pinnedVersions(resolve(io.cwd, options.pin));
    const out = locationFrom(io.cwd, options.out);
    const session = await parts.engine.session();
    const progress = new QueryProgress(io);
    const stop = stopOnSignals(() => undefined, cleanUp);
    let manifest: Manifest;
    try {
      manifest = await exportSet(set, {
        catalog,
        session,
        out,
        storage: parts.storage,
        format: options.format,
        clock: parts.clock,
        sluiceVersion: packageVersion(),
        signal: stop.signal,
        ...(versions === undefined ? {} : { versions }),
        ...progress.callback(),
      });
    } finally {
      progress.clear();
      stop.release();
      session.close();
    }
    await write(io.stdout, exportText(io, out, manifest));
  });
}

function featuresFolder(root: string): string {
  return join(root, 'features');
}

function unknownSet(name: string, sets: readonly FeatureSet[]): SluiceError {
  const names = sets.map((set) => set.name);
  return new SluiceError('FEATURE_SET_INVALID', `no feature set ${name}`, {
    advice: names.length === 0 ? 'Put one into features/: see docs/features.md.' : nameAdvice(name, names),
    facts: { name },
  });
}

function asJson(sets: readonly FeatureSet[]): string {
  const lines = sets.map(({ name, description, labels, views, source }) => ({
    name,
    description: description ?? null,
    labels: labels.table,
    tables: views.map(({ table }) => table),
    columns: views.flatMap(({ columns }) => columns.map((column) => column.name)),
    file: source.file,
  }));
  return `[${lines.map((line) => `\n  ${stringifyJson(line)}`).join(',')}${lines.length === 0 ? '' : '\n'}]\n`;
}

function asText(io: Io, sets: readonly FeatureSet[]): string {
  if (sets.length === 0) return 'no feature sets in features/\n';
  return textTable(
    [
      { title: 'name' },
      { title: 'labels' },
      { title: 'features', align: 'right' },
      { title: 'from' },
      { title: 'file' },
    ],
    sets.map(({ name, labels, views, source }) => [
      { text: name, paint: io.style.bold },
      labels.table,
      formatCount(views.reduce((sum, { columns }) => sum + columns.length, 0)),
      [...new Set(views.map(({ table }) => table))].join(', '),
      source.file,
    ]),
    io.style,
  );
}

function exportText(io: Io, out: string, { name, data, columns, tables }: Manifest): string {
  const { bold, dim } = io.style;
  const shown = (file: string): string =>
    schemeOf(out) === undefined ? relative(io.cwd, join(out, file)) : locationBelow(out, file);
  const versions = Object.entries(tables).map(([table, { version }]) => `${table} version ${String(version)}`);
  return (
    `${bold(shown(data.file))}  ${formatCount(data.rows)} rows, ${formatCount(columns.length)} columns, ${formatBytes(data.bytes)}\n` +
    `${bold(shown(manifestFile(name)))}  ${dim(`cut from ${versions.join(', ')}`)}\n`
  );
}
