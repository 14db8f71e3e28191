/** Rules as part of the query whose rows are written: a row that breaks one makes it fail, with the rule and the row's values. */
import { SluiceError } from '../../core/errors.ts';
import { struct, type StructType } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { duckdbType } from '../../engine/types.ts';
import { toCondition } from './expression.ts';
import type { Rule } from './rules.ts';

/** What the error of such a row begins with. */
const BROKEN = 'sluice: CHECK ';
/** Of the row so much is shown. */
const SHOWN_CHARACTERS = 500;

interface Enforced {
  readonly rules: readonly Rule[];
  /** The columns of the query. */
  readonly rows: StructType;
  /** Those of the table: what the rows lack of them is NULL. */
  readonly own: StructType;
  readonly table: string;
}

/**
 * The query, made to fail for a row that breaks a rule. One for which a rule is NULL breaks it, as in Delta.
 * @throws SluiceError `UNSUPPORTED_FEATURE` for a rule that sluice does not understand
 */
export async function enforced(
  session: Session,
  query: string,
  { rules, rows, own, table }: Enforced,
): Promise<string> {
  if (rules.length === 0) return query;
  const there = new Set(rows.fields.map(({ name }) => name.toLowerCase()));
  const missing = own.fields.filter(({ name }) => !there.has(name.toLowerCase()));
  const schema = struct([...rows.fields, ...missing]);
  const conditions: string[] = [];
  for (const { name, expression, condition: known } of rules) {
    const condition = known ?? (await conditionOf(session, { name, expression }, schema, table));
    const row = `left(to_json(__sluice_row)::VARCHAR, ${String(SHOWN_CHARACTERS)})`;
    const message = `${quoteString(`${BROKEN}${name}: `)} || ${row}`;
    conditions.push(`CASE WHEN coalesce((${condition}), false) THEN true ELSE error(${message}) END`);
  }
  const nulls = missing.map(({ name, type }) => `, CAST(NULL AS ${duckdbType(type)}) AS ${quoteIdent(name)}`).join('');
  const wanted = rows.fields.map(({ name }) => quoteIdent(name)).join(', ');
  return `SELECT ${wanted} FROM (SELECT *${nulls} FROM (${query})) AS __sluice_row WHERE ${conditions.join(' AND ')}`;
}

async function conditionOf(
  session: Session,
  { name, expression }: Rule,
  schema: StructType,
  table: string,
): Promise<string> {
  return toCondition(session, expression, schema).catch((error: unknown) => {
    throw inTable(error, name, table);
  });
}

/** The error of such a row, told as such; undefined for others. */
export function violation(error: SluiceError, rules: readonly Rule[], table: string): SluiceError | undefined {
  const text = error.message.split(BROKEN)[1];
  if (text === undefined) return undefined;
  const rule = rules.find(({ name }) => text.startsWith(`${name}: `));
  if (rule === undefined) return undefined;
  const { name, expression } = rule;
  const row = text.slice(name.length + 2).split('\n')[0] ?? '';
  return new SluiceError('CONSTRAINT_VIOLATED', `${table}: a row breaks ${name} (${expression}): ${row}`, {
    advice:
      'Nothing was written. Filter such rows (an expectation with ON VIOLATION DROP ROW), or change the constraint.',
    facts: { table, constraint: name, expression },
  });
}

function inTable(error: unknown, name: string, table: string): unknown {
  if (!(error instanceof SluiceError)) return error;
  const { code, message, advice = '', facts } = error;
  return new SluiceError(code, `${table} cannot be written: of its constraint ${name}, ${message}`, {
    advice,
    facts: { ...facts, table, constraint: name },
    cause: error,
  });
}
