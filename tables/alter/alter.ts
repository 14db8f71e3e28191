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
import { constraintKey, constraintName, type Properties } from '../log/properties.ts';
import { isOwnNull } from '../not-null.ts';
import { operate, type OperatedWithRows } from '../operation.ts';
import { toCondition } from '../rules/expression.ts';
import type { Snapshot } from '../snapshot.ts';
import type { AlterResult, Alteration } from './alteration.ts';
import { partsOf, pathText, type ColumnPath } from './path.ts';
import { addColumns, alterColumn, dropColumns, renameColumn, type Altered, type Now } from './columns.ts';

/** @throws SluiceError `UNKNOWN_COLUMN`, `SCHEMA_INCOMPATIBLE`, `CONSTRAINT_VIOLATED`, `UNSUPPORTED_FEATURE`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function alterTable(parts: OperatedWithRows, alteration: Alteration): Promise<AlterResult> {
  return operate(parts, 'files', async (snapshot) => {
    const { metadata, clusterBy, operation, operationParameters, looksAtRows } = await altered(
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
      ...(clusterBy === undefined ? {} : { clusterBy }),
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
  const { metadata, location: table, isMapped, clusteringColumns } = snapshot;
  const now = { metadata, isMapped, clusteringColumns, table };
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
  now: Now,
  alteration: Exclude<Alteration, { readonly addConstraint: unknown } | { readonly alterColumn: unknown }>,
): Altered {
  if ('addColumns' in alteration) return addColumns(now, alteration.addColumns);
  if ('renameColumn' in alteration) return renameColumn(now, alteration.renameColumn.from, alteration.renameColumn.to);
  if ('dropColumns' in alteration) return dropColumns(now, alteration.dropColumns);
  if ('dropConstraint' in alteration) return dropConstraint(now, alteration.dropConstraint);
  if ('clusterBy' in alteration) return clusterTable(now, alteration.clusterBy);
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
    metadata: { ...metadata, configuration: { ...metadata.configuration, [constraintKey(name)]: expression } },
    operation: 'ADD CONSTRAINT',
    operationParameters: { name, expr: expression },
  }; // prettier-ignore
}

/** Source: Delta, `DeltaOperations.ClusterBy`. */
function clusterTable({ metadata, clusteringColumns, table }: Now, clusterBy: readonly ColumnPath[]): Altered {
  const text = (paths: readonly ColumnPath[]): string => paths.map((path) => pathText(partsOf(path, table))).join(',');
  return {
    metadata,
    clusterBy,
    operation: 'CLUSTER BY',
    operationParameters: { oldClusteringColumns: text(clusteringColumns), newClusteringColumns: text(clusterBy) },
  };
}

function dropConstraint({ metadata, table }: Now, name: string): Altered {
  const { configuration } = metadata;
  const names = constraintsOf(configuration);
  const [key, expression] = Object.entries(configuration).find(([one]) => isNamed(one, name)) ?? [];
  if (key === undefined || expression === undefined) {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: there is no constraint ${name}`, {
      advice: nameAdvice(name, names),
      facts: { table, constraint: name },
    });
  }
  const others = Object.entries(configuration).filter(([one]) => one !== key);
  return {
    metadata: { ...metadata, configuration: Object.fromEntries(others) },
    operation: 'DROP CONSTRAINT',
    operationParameters: { name, expr: expression, existed: 'true' },
  };
}

function constraintsOf(configuration: Properties): string[] {
  return Object.keys(configuration).flatMap((key) => constraintName(key) ?? []);
}

function isNamed(key: string, name: string): boolean {
  return constraintName(key)?.toLowerCase() === name.toLowerCase();
}

/** @throws SluiceError `CONSTRAINT_VIOLATED` when a column that is to be NOT NULL has a NULL, or something in it that may not */
async function checkNoNull(session: Session, snapshot: Snapshot, { metadata: { schema } }: Altered): Promise<void> {
  const { location: table } = snapshot;
  const news = schema.fields.filter((field, i) => field !== snapshot.schema.fields[i]);
  const broken = news.flatMap((field) => {
    const condition = isOwnNull(field);
    return condition === undefined ? [] : [{ field, count: `count(*) FILTER (${condition})` }];
  });
  if (broken.length === 0) return;
  const counts = broken.map(({ count }, i) => `${count} AS n${String(i)}`).join(', ');
  const [row] = await session.rows(`SELECT ${counts} FROM ${await snapshot.relation()} AS t`);
  for (const [i, { field }] of broken.entries()) {
    const rows = textOf(row?.[`n${String(i)}`]);
    if (rows === '0') continue;
    throw new SluiceError('CONSTRAINT_VIOLATED', `${table}: ${rows} rows have a NULL in ${field.name}`, {
      advice: 'Nothing was changed. Give those rows a value, or delete them, first.',
      facts: { table, column: field.name, rows },
    });
  }
}
