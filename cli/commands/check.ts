/** `sluice check`: everything that can be wrong with a project before it runs. */
import { join } from 'node:path';
import type { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { typeName, type StructType } from '../../core/schema.ts';
import { checkFeatureSet, loadFeatureSets, type FeatureSet } from '../../features/index.ts';
import { lakeCatalog } from '../../query/index.ts';
import type { TableParts } from '../../tables/index.ts';
import { checkProject, type CheckedFlow } from '../../transforms/check.ts';
import { loadProject } from '../../transforms/project.ts';
import { formatCount, plural } from '../format.ts';
import { write, type Io } from '../io.ts';
import { errorJson } from '../progress/json.ts';
import { toSluiceError } from '../report-error.ts';
import { textTable } from '../text-table.ts';
import { requireProject, withEngine, type ProjectFolder } from '../workspace.ts';

export interface CheckOptions {
  readonly project?: string;
  readonly format: 'table' | 'json';
}

interface Checked {
  readonly flows: readonly CheckedFlow[];
  readonly sets: readonly FeatureSet[];
}

/** @throws SluiceError what is wrong with the project: `CONFIG_INVALID`, `SQL_*`, `UNKNOWN_*`, `CYCLE`, `FEATURE_SET_INVALID` … */
export async function check(io: Io, options: CheckOptions): Promise<void> {
  let checked: Checked;
  try {
    const folder = await requireProject(io, options.project);
    const project = await loadProject(folder.root, io.env);
    checked = await withEngine(io, folder, async (parts) => {
      const flows = await checkProject(project, parts.engine);
      return { flows, sets: await checkSets(folder, flows, parts) };
    });
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (options.format === 'json') await write(io.stdout, `${failureJson(error)}\n`);
    throw error;
  }
  await write(io.stdout, options.format === 'json' ? `${asJson(checked)}\n` : asText(io, checked));
}

async function checkSets(
  folder: ProjectFolder,
  flows: readonly CheckedFlow[],
  parts: TableParts,
): Promise<FeatureSet[]> {
  const sets = await loadFeatureSets(join(folder.root, 'features'));
  const catalog = lakeCatalog(folder.lake, parts);
  const names = [...new Set([...flows.map(({ flow }) => flow.target), ...(await catalog.names())])];
  const schemaOf = async (name: string): Promise<StructType | undefined> =>
    flows.find(({ flow }) => flow.target === name)?.schema ?? (await (await catalog.open(name))?.snapshot())?.schema;
  const session = await parts.engine.session();
  try {
    for (const set of sets) await checkFeatureSet(set, { session, names, schemaOf });
  } finally {
    session.close();
  }
  return sets;
}

function failureJson(error: SluiceError): string {
  return stringifyJson({ ok: false, errors: [errorJson(error)] });
}

function asJson({ flows, sets }: Checked): string {
  return stringifyJson({
    ok: true,
    flows: flows.map(({ flow, schema }) => ({
      name: flow.target,
      kind: flow.kind,
      inputs: inputsOf(flow),
      columns: schema.fields.map(({ name, type }) => ({ name, type: typeName(type) })),
      file: flow.at.file,
      line: flow.at.line,
    })),
    featureSets: sets.map(({ name, source }) => ({ name, file: source.file })),
  });
}

function asText(io: Io, { flows, sets }: Checked): string {
  const table = textTable(
    [
      { title: 'flow' },
      { title: 'kind' },
      { title: 'columns', align: 'right' },
      { title: 'expectations', align: 'right' },
      { title: 'inputs' },
      { title: 'defined at' },
    ],
    flows.map(({ flow, schema }) => [
      { text: flow.target, paint: io.style.bold },
      flow.kind.replace('_', ' '),
      formatCount(schema.fields.length),
      flow.expectations.length === 0 ? '' : formatCount(flow.expectations.length),
      inputsOf(flow).join(', '),
      `${flow.at.file}:${String(flow.at.line)}`,
    ]),
    io.style,
  );
  const inOrder = (count: number, word: string): string =>
    count === 0 ? '' : `${io.style.green('✓')} ${plural(count, word)} ${count === 1 ? 'is' : 'are'} in order\n`;
  return table + inOrder(flows.length, 'flow') + inOrder(sets.length, 'feature set');
}

function inputsOf({ source, reads }: CheckedFlow['flow']): string[] {
  const stream = source === undefined ? [] : source.kind === 'table' ? [source.table] : [source.kind];
  return [...new Set([...stream, ...reads])];
}
