/**
 * The SQL of an UPDATE or DELETE, over a relation of the table's rows.
 *
 * Promise: pure; each form takes the same rows, and gives them the same values.
 */
import type { StructType } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { recomputed } from '../defaults/generated.ts';
import { unusedName } from '../relation.ts';
import { changedAs } from './change-data.ts';
import { isTaken, type RowCondition } from './touched.ts';

export interface Taking {
  readonly condition: RowCondition;
  /** By column; without it the rows that are taken go. */
  readonly values?: ReadonlyMap<string, string>;
  /** Columns that are computed from the others of their row, once those have their values. */
  readonly computed?: ReadonlyMap<string, string>;
}

export class TakenSql {
  readonly #schema: StructType;
  readonly #values: Taking['values'];
  readonly #computed: ReadonlyMap<string, string>;
  readonly #isTaken: string;

  constructor(schema: StructType, { condition, values, computed = new Map<string, string>() }: Taking) {
    this.#schema = schema;
    this.#values = values;
    this.#computed = computed;
    this.#isTaken = isTaken(condition);
  }

  /** All rows of the relation as they are afterwards. */
  all(relation: string): string {
    if (this.#values === undefined) return `SELECT * FROM ${relation} AS t WHERE NOT ${this.#isTaken}`;
    const columns = this.#columns((value, column) => `CASE WHEN ${this.#isTaken} THEN ${value} ELSE ${column} END`);
    const taken = quoteIdent(unusedName(this.#schema, '__sluice_taken'));
    const query = `SELECT ${columns}, ${this.#isTaken} AS ${taken} FROM ${relation} AS t`;
    if (this.#computed.size === 0) return `SELECT ${columns} FROM ${relation} AS t`;
    return recomputed(query, this.#schema, this.#computed, () => taken);
  }

  /** Only those that are taken, with their new values. */
  news(relation: string): string {
    const query = `SELECT ${this.#columns((value) => value)} FROM ${relation} AS t WHERE ${this.#isTaken}`;
    return recomputed(query, this.#schema, this.#computed);
  }

  /** Where they lie. */
  places(relation: string, { file, row }: { readonly file: string; readonly row: string }): string {
    return `SELECT ${quoteIdent(file)}, ${quoteIdent(row)} FROM ${relation} AS t WHERE ${this.#isTaken}`;
  }

  /** What becomes of them, as queries over changes. */
  changes(relation: string): string[] {
    const rows = `FROM ${relation} AS t WHERE ${this.#isTaken}`;
    if (this.#values === undefined) return [`SELECT *, ${changedAs('delete')} ${rows}`];
    return [
      `SELECT *, ${changedAs('update_preimage')} ${rows}`,
      `SELECT *, ${changedAs('update_postimage')} FROM (${this.news(relation)}) AS n`,
    ];
  }

  #columns(changed: (value: string, column: string) => string): string {
    const columns = this.#schema.fields.map(({ name, type }) => {
      const column = quoteIdent(name);
      const value = this.#values?.get(name);
      return value === undefined
        ? column
        : `${changed(`CAST((${value}\n) AS ${duckdbType(type)})`, column)} AS ${column}`;
    });
    return columns.join(', ');
  }
}
