/** `sluice check`: everything that can be wrong with a project before it runs. */
import type { SluiceError } from '../../core/errors.ts';
import { typeName } from '../../core/schema.ts';
import { stringifyJson } from '../../core/json.ts';
import { checkProject, type CheckedFlow } from '../../transforms/check.ts';
import { loadProject } from '../../transforms/project.ts';
import { formatCount } from '../format.ts';
import { write, type Io } from '../io.ts';
import { errorJson } from '../progress/json.ts';
import { toSluiceError } from '../report-error.ts';
import { textTable } from '../text-table.ts';
import { requireProject, withEngine } from '../workspace.ts';

export interface CheckOptions {
  readonly project?: string;
  readonly format: 'table' | 'json';
}

/** @throws SluiceError what is wrong with the project: `CONFIG_INVALID`, `SQL_*`, `UNKNOWN_*`, `CYCLE`, `FEATURE_SET_INVALID` … */
export async function check(io: Io, options: CheckOptions): Promise<void> {
  let flows: CheckedFlow[];
  try {
    const folder = await requireProject(io, options.project);
    const project = await loadProject(folder.root, io.env);
    flows = await withEngine(folder, ({ engine }) => checkProject(project, engine));
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (options.format === 'json') await write(io.stdout, `${failureJson(error)}\n`);
    throw error;
  }
  await write(io.stdout, options.format === 'json' ? `${flowsJson(flows)}\n` : flowsText(io, flows));
}

function failureJson(error: SluiceError): string {
  return stringifyJson({ ok: false, errors: [errorJson(error)] });
}

function flowsJson(flows: readonly CheckedFlow[]): string {
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
  });
}

function flowsText(io: Io, flows: readonly CheckedFlow[]): string {
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
  return `${table}${io.style.green('✓')} ${flows.length === 1 ? '1 flow is' : `${formatCount(flows.length)} flows are`} in order\n`;
}

function inputsOf({ source, reads }: CheckedFlow['flow']): string[] {
  const stream = source === undefined ? [] : source.kind === 'table' ? [source.table] : [source.kind];
  return [...new Set([...stream, ...reads])];
}
