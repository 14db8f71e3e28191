/** `sluice table alter`: the columns, the constraints, the clustering and the comment of a table; one kind of change a commit. */
import type { Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { typeName, type Alteration, type ColumnChange } from '../../tables/index.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { columnChange, constraint, newColumn, renaming } from './alterations.ts';
import { collected, columns } from './arguments.ts';
import { told, withSession, type TableOptions, type Verbs } from './verb.ts';

interface AlterFlags extends TableOptions {
  readonly addColumn?: readonly string[];
  readonly renameColumn?: string;
  readonly dropColumn?: readonly string[];
  readonly alterColumn?: string;
  readonly addConstraint?: string;
  readonly dropConstraint?: string;
  readonly clusterBy?: readonly string[];
  readonly comment?: string;
}

export function addAlterVerb({ io, globals, add }: Verbs): void {
  add('alter', 'add, rename, drop and change columns, add and drop constraints; no data file is written', [
    `sluice table alter silver.orders --add-column "note STRING COMMENT 'what was said' AFTER order_id"`,
    'sluice table alter silver.orders --rename-column "note = remark"',
    'sluice table alter silver.orders --drop-column remark',
    'sluice table alter silver.orders --alter-column "amount TYPE DECIMAL(12,2)"',
    'sluice table alter silver.orders --add-constraint "positive = amount > 0"',
    'sluice table alter silver.orders --cluster-by customer_id,ts',
  ])
    .option(
      '--add-column <definition>',
      `name, type, and if wanted COMMENT 'text', FIRST or AFTER column; may be repeated`,
      collected,
    )
    .option('--rename-column <names>', '"old = new"; needs column mapping')
    .option('--drop-column <column>', 'may be repeated; needs column mapping', collected)
    .option(
      '--alter-column <change>',
      `"column TYPE type" (a wider one), "column COMMENT 'text'", "column SET NOT NULL" or "DROP NOT NULL", "column FIRST" or "AFTER other"`,
    )
    .option('--add-constraint <constraint>', '"name = condition", in the SQL of Spark; every row must meet it')
    .option('--drop-constraint <name>', 'a constraint to take away')
    .option(
      '--cluster-by <columns>',
      'columns by which optimize puts rows in order from then on; none takes them away',
      (text: string) => (text.trim().toLowerCase() === 'none' ? [] : columns(text)),
    )
    .option('--comment <text>', 'what the table is')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<AlterFlags, 'name'>, command: Command) => {
      await alter(io, { ...globals(command), ...options, name });
    });
}

async function alter(io: Io, options: AlterFlags): Promise<void> {
  const { alteration, text } = alterationOf(options);
  await withSession(io, options, async ({ table }, session, { onStep }) => {
    onStep({ name: 'looking at the rows', part: 1, parts: 1 });
    const { version } = await table.alter(session, alteration);
    const [operation = ''] = Object.keys(alteration);
    return told(options, version, { alteration: operation }, text);
  });
}

interface Asked {
  readonly alteration: Alteration;
  /** What was done, once it was. */
  readonly text: string;
}

/** @throws SluiceError `USAGE` for none, or for several that would be several commits */
function alterationOf(flags: AlterFlags): Asked {
  const { addColumn, renameColumn, dropColumn, alterColumn, addConstraint, dropConstraint, clusterBy, comment } = flags;
  const asked: Asked[] = [];
  if (addColumn !== undefined) {
    const addColumns = addColumn.map(newColumn);
    const names = addColumns.map(({ column, parent = [] }) => [parent, column.name].flat().join('.'));
    asked.push({ alteration: { addColumns }, text: `added ${names.join(', ')}` });
  }
  if (renameColumn !== undefined) {
    const names = renaming(renameColumn);
    asked.push({ alteration: { renameColumn: names }, text: `renamed ${names.from.join('.')} to ${names.to}` });
  }
  if (dropColumn !== undefined)
    asked.push({ alteration: { dropColumns: dropColumn }, text: `dropped ${dropColumn.join(', ')}` });
  if (alterColumn !== undefined) {
    const change = columnChange(alterColumn);
    asked.push({ alteration: { alterColumn: change }, text: changed(change) });
  }
  if (addConstraint !== undefined) {
    const found = constraint(addConstraint);
    asked.push({ alteration: { addConstraint: found }, text: `added the constraint ${found.name}` });
  }
  if (dropConstraint !== undefined)
    asked.push({ alteration: { dropConstraint }, text: `dropped the constraint ${dropConstraint}` });
  if (clusterBy !== undefined) {
    const text = clusterBy.length === 0 ? 'clustered by no column now' : `clustered by ${clusterBy.join(', ')} now`;
    asked.push({ alteration: { clusterBy }, text });
  }
  if (comment !== undefined) asked.push({ alteration: { comment }, text: 'set the comment' });
  const [first, second] = asked;
  if (first === undefined || second !== undefined) {
    throw new SluiceError(
      'USAGE',
      first === undefined ? 'what to alter was not said' : 'several kinds of change at once: each is a commit of its own',
      { advice: 'Name one: --add-column, --rename-column, --drop-column, --alter-column, --add-constraint, --drop-constraint, --cluster-by or --comment.' },
    ); // prettier-ignore
  }
  return first;
}

function changed({ column, type, comment, nullable, position }: ColumnChange): string {
  const name = typeof column === 'string' ? column : column.join('.');
  if (type !== undefined) return `${name} is ${typeName(type)} now`;
  if (comment !== undefined) return `set the comment of ${name}`;
  if (nullable !== undefined) return `${name} ${nullable ? 'may be NULL' : 'is NOT NULL'} now`;
  return `moved ${name}${position === undefined ? '' : position === 'first' ? ' to the first place' : ` after ${position.after}`}`;
}
