/** What a flow's table must be: its columns, partition columns and expectations, and the table that is there already. */
import { sameType, struct, typeName, type Field, type StructType } from '../core/schema.ts';
import type { Span } from '../core/source-text.ts';
import { nameAdvice } from '../core/suggest.ts';
import type { Column, Session } from '../engine/session.ts';
import type { Snapshot } from '../tables/index.ts';
import { DEFINITION_HASH, type Flow } from './flow.ts';
import { atQuery } from './parse/engine-errors.ts';

/**
 * The schema of the table, from what the query gives and what the column list says.
 * @throws SluiceError `SQL_INVALID`, `UNKNOWN_COLUMN`, `TYPE_UNSUPPORTED`
 */
export function checkColumns(flow: Flow, found: readonly Column[]): StructType {
  const { body, statement } = flow.node;
  const named = new Map<string, Column>();
  for (const column of found) {
    if (named.has(column.name.toLowerCase())) {
      throw body.error(
        'SQL_INVALID',
        lastNamed(flow, column.name),
        `two columns are named ${column.name}`,
        'Give one of them another name with AS, or leave it out: * EXCLUDE (…).',
      );
    }
    named.set(column.name.toLowerCase(), column);
  }
  const missing = flow.columns.find(({ name }) => !named.has(name.toLowerCase()));
  if (missing !== undefined) {
    throw body.error(
      'UNKNOWN_COLUMN',
      missing.span,
      `the query gives no column ${missing.name}`,
      nameAdvice(
        missing.name,
        found.map(({ name }) => name),
        'The list names the columns of the query.',
      ),
    );
  }
  const listed = new Set(flow.columns.map(({ name }) => name.toLowerCase()));
  const unlisted = flow.columns.length === 0 ? undefined : found.find(({ name }) => !listed.has(name.toLowerCase()));
  if (unlisted !== undefined) {
    throw body.error(
      'SQL_INVALID',
      statement.name,
      `the query gives a column ${unlisted.name}, which the column list of ${flow.target} does not have`,
      'List every column, or none.',
    );
  }
  if (flow.columns.length === 0) return struct(found.map((column) => fieldOf(flow, column.name, column, {})));
  return struct(
    flow.columns.map(({ name, field, notNull, comment }) => {
      const own = { nullable: !notNull, metadata: comment === undefined ? {} : { comment } };
      const column = named.get(name.toLowerCase());
      return field === undefined
        ? fieldOf(flow, name, column, own)
        : { name, type: field.type, nullable: !notNull, metadata: own.metadata };
    }),
  );
}

function fieldOf(flow: Flow, name: string, column: Column | undefined, own: Partial<Field>): Field {
  if (column?.type === undefined) {
    throw flow.node.body.error(
      'TYPE_UNSUPPORTED',
      lastNamed(flow, name),
      `the column ${name} is of type ${column?.duckdbType ?? '?'}, which Delta Lake does not have`,
      'Cast it: CAST(… AS STRING), or another type of tables.',
    );
  }
  return { name, type: column.type, nullable: true, metadata: {}, ...own };
}

/** Where the query most likely names a column: the last time that the name stands there. */
function lastNamed(flow: Flow, name: string): Span | undefined {
  return flow.node.body.tokens.findLast((token) => token.value.toLowerCase() === name.toLowerCase());
}

/**
 * The partition columns, spelt as the schema spells them.
 * @throws SluiceError `UNKNOWN_COLUMN`, `TYPE_UNSUPPORTED`, `SQL_INVALID`
 */
export function checkPartitions(flow: Flow, schema: StructType): string[] {
  const { body, statement } = flow.node;
  const names = statement.partitionedBy.map((at) => {
    const field = schema.fields.find(({ name }) => name.toLowerCase() === at.value.toLowerCase());
    if (field === undefined) {
      throw body.error(
        'UNKNOWN_COLUMN',
        at,
        `there is no column ${at.value} to partition by`,
        nameAdvice(
          at.value,
          schema.fields.map(({ name }) => name),
          'Compute it in the query: SELECT *, … AS name.',
        ),
      );
    }
    const { type } = field;
    if (type.kind !== 'decimal' && (type.kind !== 'primitive' || type.name === 'binary')) {
      throw body.error(
        'TYPE_UNSUPPORTED',
        at,
        `a column of type ${typeName(type)} cannot be a partition column`,
        'Partition by a text, a number, a boolean or a time.',
      );
    }
    return field.name;
  });
  const [first] = statement.partitionedBy;
  if (first !== undefined && new Set(names).size < names.length)
    throw body.error('SQL_INVALID', first, 'a column is in PARTITIONED BY twice');
  if (first !== undefined && names.length === schema.fields.length) {
    throw body.error('SQL_INVALID', first, 'a table needs a column that is not a partition column');
  }
  return names;
}

/**
 * @param empty a table of the session with the columns of the flow's
 * @throws SluiceError `UNKNOWN_COLUMN`, `SQL_INVALID`
 */
export async function checkExpectations(
  flow: Flow,
  schema: StructType,
  empty: string,
  session: Session,
): Promise<void> {
  const columns = schema.fields.map(({ name }) => name);
  for (const [i, { name, condition, originOf }] of flow.expectations.entries()) {
    const { script } = flow.node.body;
    const tokens = flow.node.statement.expectations[i]?.condition ?? [];
    const before = `SELECT 1 FROM ${empty} WHERE (`;
    try {
      await session.describe(`${before}${condition})`);
    } catch (error) {
      throw atQuery(error, { script, tokens, columns, originOf: (at) => originOf(Math.max(0, at - before.length)) });
    }
    const [result] = await session.describe(`SELECT (${condition}) AS ok FROM ${empty}`);
    if (result?.duckdbType !== 'BOOLEAN') {
      throw script.error(
        'SQL_INVALID',
        tokens[0] ?? { start: 0, end: 0 },
        `the expectation ${name} is no condition: its type is ${result?.duckdbType ?? '?'}`,
        { advice: 'Write something that is true or false.' },
      );
    }
  }
}

/**
 * Whether the flow can go on with the table that is there: a streaming table only ever grows, and a materialized view
 * overwrites no table that something else made.
 * @throws SluiceError `SCHEMA_INCOMPATIBLE`
 */
export function checkAgainstTable(
  flow: Flow,
  schema: StructType,
  partitionedBy: readonly string[],
  table: Snapshot,
): void {
  const { body, statement } = flow.node;
  const isView = table.properties[DEFINITION_HASH] !== undefined;
  if (isView !== (flow.kind === 'materialized_view')) {
    const what = isView ? 'the table of a materialized view' : 'a table that no materialized view made';
    throw body.error(
      'SCHEMA_INCOMPATIBLE',
      statement.name,
      `${table.location} holds ${what}`,
      'Give this one another name, or delete that folder to build the table anew.',
    );
  }
  if (isView) return;
  const anew = `or delete the folder ${table.location} to build the table anew from its source.`;
  for (const field of schema.fields) {
    const old = table.schema.fields.find(({ name }) => name.toLowerCase() === field.name.toLowerCase());
    if (old !== undefined && !sameType(old.type, field.type)) {
      throw body.error(
        'SCHEMA_INCOMPATIBLE',
        lastNamed(flow, field.name),
        `${flow.target} has ${old.name} as ${typeName(old.type)}, and the query now gives ${typeName(field.type)}`,
        `Give the column another name, ${anew}`,
      );
    }
  }
  if (table.partitionColumns.join() !== partitionedBy.join()) {
    const are =
      table.partitionColumns.length === 0 ? 'not partitioned' : `partitioned by ${table.partitionColumns.join(', ')}`;
    throw body.error(
      'SCHEMA_INCOMPATIBLE',
      statement.partitionedBy[0] ?? statement.name,
      `${flow.target} is ${are} already`,
      `Leave PARTITIONED BY as it was, ${anew}`,
    );
  }
}
