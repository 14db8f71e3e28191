/**
 * Which rules of a table speak of a column: it cannot be renamed, dropped or widened under them.
 *
 * Promise: pure; a name in an expression that may be the column's counts as it. Source: Delta, `Constraints.findDependentConstraints`,
 * `SchemaUtils.findDependentGeneratedColumns`.
 */
import { SluiceError } from '../../core/errors.ts';
import { tokenize } from '../../core/sql-tokens.ts';
import type { Metadata } from '../log/actions.ts';
import { rulesOf } from '../rules/rules.ts';
import { pathText } from './path.ts';

const GENERATED = 'delta.generationExpression';

/** @throws SluiceError `SCHEMA_INCOMPATIBLE` naming the constraints and the generated columns. @param verb `renamed`, `dropped` … */
export function checkNoDependents(metadata: Metadata, path: readonly string[], verb: string, table: string): void {
  const constraints = rulesOf(metadata).map(({ name, expression }) => ({ what: `the constraint ${name}`, expression }));
  const generated = metadata.schema.fields.flatMap(({ name, metadata: { [GENERATED]: expression } }) =>
    typeof expression === 'string' ? [{ what: `the generated column ${name}`, expression }] : [],
  );
  const found = [...constraints, ...generated].filter(({ expression }) => speaksOf(expression, path));
  if (found.length === 0) return;
  const shown = found.map(({ what, expression }) => `${what} (${expression})`).join(', ');
  throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${pathText(path)} cannot be ${verb}: ${shown} needs it`, {
    advice: 'Drop the constraint first, and add it again afterwards. A generated column can only be dropped.',
    facts: { table, column: pathText(path), dependents: found.map(({ what }) => what) },
  });
}

/** Whether one of the dotted names of an expression leads to the column, into it, or to what it is in. */
function speaksOf(expression: string, path: readonly string[]): boolean {
  const wanted = path.map((part) => part.toLowerCase());
  let chain: string[] = [];
  const chains: string[][] = [];
  let isAfterDot = false;
  for (const { kind, text, value } of tokenize(expression)) {
    if (kind === 'word' || kind === 'name') {
      if (!isAfterDot) chains.push((chain = []));
      chain.push(value.toLowerCase());
    }
    isAfterDot = text === '.';
  }
  return chains.some((names) => names.every((name, i) => i >= wanted.length || name === wanted[i]));
}
