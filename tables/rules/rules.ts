/**
 * The conditions that every row of a table must meet: CHECK constraints and column invariants.
 *
 * Promise: pure. Source: Delta protocol, "CHECK Constraints", "Column Invariants".
 */
import { isJsonObject, parseJson, stringifyJson } from '../../core/json.ts';
import type { DataType } from '../../core/schema.ts';
import type { Metadata } from '../log/actions.ts';
import { constraintName } from '../log/properties.ts';

export interface Rule {
  /** Of the constraint, or of the column. */
  readonly name: string;
  /** Spark's SQL. */
  readonly expression: string;
  /** The same for DuckDB, where it is known already. */
  readonly condition?: string;
}

const INVARIANTS = 'delta.invariants';

export function rulesOf({ configuration, schema }: Pick<Metadata, 'configuration' | 'schema'>): Rule[] {
  const constraints = Object.entries(configuration).flatMap(([key, expression]) => {
    const name = constraintName(key);
    return name === undefined ? [] : [{ name, expression }];
  });
  return [...constraints, ...invariantsOf(schema, '')];
}

function invariantsOf(type: DataType, path: string): Rule[] {
  switch (type.kind) {
    case 'struct':
      return type.fields.flatMap((field) => {
        const name = `${path}${field.name}`;
        const text = field.metadata[INVARIANTS];
        // Inside a column nobody writes one: which names it would go by is not told.
        const expression = path === '' && typeof text === 'string' ? invariant(text) : '';
        return [...(text === undefined ? [] : [{ name, expression }]), ...invariantsOf(field.type, `${name}.`)];
      });
    case 'array':
      return invariantsOf(type.element, `${path}element.`);
    case 'map':
      return [...invariantsOf(type.key, `${path}key.`), ...invariantsOf(type.value, `${path}value.`)];
    case 'decimal':
    case 'primitive':
      return [];
  }
}

/** The expression of `{"expression":{"expression":"x > 3"}}`; empty where there is none, and refused as such by who evaluates it. */
function invariant(text: string): string {
  try {
    const json = parseJson(text);
    const outer = isJsonObject(json) ? json['expression'] : undefined;
    const expression = isJsonObject(outer) ? outer['expression'] : undefined;
    return typeof expression === 'string' ? expression : '';
  } catch {
    return '';
  }
}

/** The same for the same rules: rows that were checked against others must not get in. */
export function rulesKey(metadata: Pick<Metadata, 'configuration' | 'schema'>): string {
  const rules = rulesOf(metadata);
  return rules.length === 0 ? '' : stringifyJson(rules.map(({ name, expression }) => [name, expression]));
}
