/**
 * ALTER TABLE: the columns, the constraints and the comment of a table, one change a commit.
 *
 * Promise: all or nothing; no data file is written; rows that would break a rule make it fail before it is there, those too that others
 * add meanwhile. Source: Delta, `alterDeltaTableCommands.scala`.
 */
import { SluiceError } from '../../core/errors.ts';
import { nameAdvice } from '../../core/suggest.ts';
import type { Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';
import type { Change } from '../change.ts';
import { isOwnNull } from '../not-null.ts';
import { operate, type OperatedWithRows } from '../operation.ts';
import { toCondition } from '../rules/expression.ts';
import type { Snapshot } from '../snapshot.ts';
import type { AlterResult, Alteration } from './alteration.ts';
import { addColumns, alterColumn, dropColumns, renameColumn, type Altered } from './columns.ts';

const CONSTRAINT = 'delta.constraints.';

/** @throws SluiceError `UNKNOWN_COLUMN`, `SCHEMA_INCOMPATIBLE`, `CONSTRAINT_VIOLATED`, `UNSUPPORTED_FEATURE`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function alterTable(parts: OperatedWithRows, alteration: Alteration): Promise<AlterResult> {
  return operate(parts, 'files', async (snapshot) => {
    const { metadata, operation, operationParameters, looksAtRows } = await altered(
      parts.session,
      snapshot,
      alteration,
    );
    const change: Change = {
      operation,
      operationParameters,
      mode: 'append',
      add: [],
      metadata,
      read: { version: snapshot.version, files: [], wouldRead: () => looksAtRows },
    };
    return { change, staged: [], result: {} };
  });
}

async function altered(
  session: Session,
  snapshot: Snapshot,
  alteration: Alteration,
): Promise<Altered & { readonly looksAtRows: boolean }> {
  const { metadata, location: table, isMapped } = snapshot;
  const now = { metadata, isMapped, table };
  if ('addConstraint' in alteration) {
    const { name, expression } = alteration.addConstraint;
    return { ...(await addConstraint(session, snapshot, name, expression)), looksAtRows: true };
  }
  if ('alterColumn' in alteration) {
    const found = alterColumn(now, alteration.alterColumn);
    const looksAtRows = alteration.alterColumn.nullable === false;
    if (looksAtRows) await checkNoNull(session, snapshot, found);
    return { ...found, looksAtRows };
  }
  return { ...plain(now, alteration), looksAtRows: false };
}

function plain(
  now: Parameters<typeof addColumns>[0],
  alteration: Exclude<Alteration, { readonly addConstraint: unknown } | { readonly alterColumn: unknown }>,
): Altered {
  if ('addColumns' in alteration) return addColumns(now, alteration.addColumns);
  if ('renameColumn' in alteration) return renameColumn(now, alteration.renameColumn.from, alteration.renameColumn.to);
  if ('dropColumns' in alteration) return dropColumns(now, alteration.dropColumns);
  if ('dropConstraint' in alteration) return dropConstraint(now, alteration.dropConstraint);
  const { comment } = alteration;
  return {
    metadata: { ...now.metadata, description: comment },
    operation: 'SET TBLPROPERTIES',
    operationParameters: { properties: JSON.stringify({ comment }) },
  };
}

async function addConstraint(session: Session, snapshot: Snapshot, name: string, expression: string): Promise<Altered> {
  const { metadata, location: table, schema } = snapshot;
  const there = constraintsOf(metadata.configuration).find((one) => one.toLowerCase() === name.toLowerCase());
  if (name.trim() === '' || there !== undefined) {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${there === undefined ? 'a constraint needs a name' : `there is a constraint ${there} already`}`, {
      advice: there === undefined ? 'Write it as name = condition.' : 'Give it another name, or drop the other first.',
      facts: { table, constraint: name },
    }); // prettier-ignore
  }
  const condition = await toCondition(session, expression, schema);
  const [row] = await session.rows(
    `SELECT count(*)::VARCHAR AS n, any_value(left(to_json(t)::VARCHAR, 500)) AS row FROM ${await snapshot.relation()} AS t WHERE NOT coalesce((${condition}), false)`,
  );
  if (textOf(row?.['n']) !== '0') {
    throw new SluiceError(
      'CONSTRAINT_VIOLATED',
      `${table}: ${textOf(row?.['n'])} rows break ${name} (${expression}), such as ${textOf(row?.['row'])}`,
      {
        advice:
          'Nothing was changed. Change or delete those rows first; one for which the condition is NULL breaks it.',
        facts: { table, constraint: name, expression, rows: textOf(row?.['n']) },
      },
    );
  }
  return {
    metadata: { ...metadata, configuration: { ...metadata.configuration, [`${CONSTRAINT}${name.toLowerCase()}`]: expression } },
    operation: 'ADD CONSTRAINT',
    operationParameters: { name, expr: expression },
  }; // prettier-ignore
}

function dropConstraint({ metadata, table }: Parameters<typeof addColumns>[0], name: string): Altered {
  const names = constraintsOf(metadata.configuration);
  const found = names.find((one) => one.toLowerCase() === name.toLowerCase());
  if (found === undefined) {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: there is no constraint ${name}`, {
      advice: nameAdvice(name, names),
      facts: { table, constraint: name },
    });
  }
  const { [`${CONSTRAINT}${found}`]: expression = '', ...configuration } = metadata.configuration;
  return {
    metadata: { ...metadata, configuration },
    operation: 'DROP CONSTRAINT',
    operationParameters: { name, expr: expression, existed: 'true' },
  };
}

function constraintsOf(configuration: Readonly<Record<string, string>>): string[] {
  return Object.keys(configuration).flatMap((key) =>
    key.startsWith(CONSTRAINT) ? [key.slice(CONSTRAINT.length)] : [],
  );
}

/** @throws SluiceError `CONSTRAINT_VIOLATED` when a column that is to be NOT NULL has a NULL */
async function checkNoNull(session: Session, snapshot: Snapshot, { metadata: { schema } }: Altered): Promise<void> {
  const { location: table } = snapshot;
  const relation = await snapshot.relation();
  for (const field of schema.fields) {
    const broken = isOwnNull(field);
    if (broken === undefined) continue;
    const [row] = await session.rows(`SELECT count(*)::VARCHAR AS n FROM ${relation} AS t WHERE ${broken}`);
    if (textOf(row?.['n']) === '0') continue;
    throw new SluiceError('CONSTRAINT_VIOLATED', `${table}: ${textOf(row?.['n'])} rows have a NULL in ${field.name}`, {
      advice: 'Nothing was changed. Give those rows a value, or delete them, first.',
      facts: { table, column: field.name, rows: textOf(row?.['n']) },
    });
  }
}
