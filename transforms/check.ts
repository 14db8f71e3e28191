/**
 * A project resolved and type-checked without running it: DuckDB binds each query over empty tables of the right types.
 *
 * Promise: what passes here fails at run time for its data only. All errors are told at once; a flow whose input is wrong is
 * not blamed for it.
 */
import { systemClock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import type { Field, StructType } from '../core/schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdent } from '../engine/quoting.ts';
import type { Column, Session } from '../engine/session.ts';
import { duckdbType } from '../engine/types.ts';
import { decodedColumns } from '../ingest/decode/decode.ts';
import { QUARANTINE_SCHEMA } from '../ingest/quarantine.ts';
import { DeltaTable, locationBelow } from '../tables/index.ts';
import { checkAgainstTable, checkColumns, checkExpectations, checkPartitions } from './check-table.ts';
import type { Flow, Relations, View } from './flow.ts';
import { atQuery } from './parse/engine-errors.ts';
import { Problems } from './problems.ts';
import type { Project } from './project.ts';
import { quarantined } from './resolve.ts';

export interface CheckedFlow {
  /** As in the project; the partition columns are spelt as the schema spells them. */
  readonly flow: Flow;
  /** The columns of the flow's table. */
  readonly schema: StructType;
}

/**
 * Resolves and type-checks every flow, inputs first, without running any.
 * @throws SluiceError `UNKNOWN_COLUMN`, `SQL_INVALID`, `TYPE_UNSUPPORTED`, `SCHEMA_INCOMPATIBLE`, what reading the log of a
 *   table of the lake throws; when there are several, the code is that of the first and the message tells all.
 * @example for (const { flow, schema } of await checkProject(project, engine)) console.log(flow.target, schema.fields.length)
 */
export async function checkProject(project: Project, engine: Engine): Promise<CheckedFlow[]> {
  const session = await engine.session();
  try {
    return await new Checker(project, engine, session).check();
  } finally {
    session.close();
  }
}

class Checker {
  readonly #project: Project;
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #problems = new Problems();
  readonly #schemas = new Map<string, readonly Field[]>();
  /** Names of empty tables in the session, by the table that they stand for. */
  readonly #empty = new Map<string, string>();
  /** Tables and views that are wrong, or whose inputs are. */
  readonly #broken = new Set<string>();
  readonly #checkedViews = new Set<string>();

  constructor(project: Project, engine: Engine, session: Session) {
    this.#project = project;
    this.#engine = engine;
    this.#session = session;
  }

  async check(): Promise<CheckedFlow[]> {
    const checked: CheckedFlow[] = [];
    for (const flow of this.#project.flows) {
      const result = await this.#problems.collect(() => this.#flow(flow));
      if (result === undefined) this.#broken.add(flow.target);
      else {
        this.#schemas.set(flow.target, result.schema.fields);
        checked.push(result);
      }
    }
    for (const view of this.#project.views) await this.#view(view);
    this.#problems.throwAny();
    return checked;
  }

  async #flow(flow: Flow): Promise<CheckedFlow | undefined> {
    if (!(await this.#inputsAreRight(flow))) return undefined;
    const relations = await this.#relations(flow);
    const found = await this.#describe(flow, relations);
    const schema = checkColumns(flow, found);
    await this.#castsAreRight(flow, relations);
    const partitionedBy = checkPartitions(flow, schema);
    await checkExpectations(flow, schema, await this.#emptyTable(`${flow.target} `, schema.fields), this.#session);
    const table = this.#lakeTable(flow.target);
    if (await table.exists()) {
      checkAgainstTable(flow, schema, partitionedBy, await table.snapshot());
    }
    return { flow: { ...flow, partitionedBy }, schema };
  }

  /** Views are checked when the first flow needs them: what they read has been checked by then. */
  async #inputsAreRight(query: Flow | View): Promise<boolean> {
    for (const input of query.node.inputs) {
      const view = this.#project.views.find(({ name }) => name === input);
      if (view !== undefined) await this.#view(view);
      if (this.#broken.has(quarantined(input) ?? input) || this.#broken.has(input)) return false;
    }
    return true;
  }

  async #view(view: View): Promise<void> {
    if (this.#checkedViews.has(view.name)) return;
    this.#checkedViews.add(view.name);
    const done = await this.#problems.collect(async () => {
      if (!(await this.#inputsAreRight(view))) return false;
      const columns = await this.#describe(view, await this.#relations(view));
      const names = view.node.statement.columns;
      if (names.length > 0 && names.length !== columns.length) {
        throw view.node.body.error(
          'SQL_INVALID',
          view.node.statement.name,
          `${view.name} lists ${String(names.length)} columns, but its query gives ${String(columns.length)}`,
        );
      }
      return true;
    });
    if (done !== true) this.#broken.add(view.name);
  }

  async #describe(query: Flow | View, relations: Relations): Promise<Column[]> {
    const { text, originOf } = query.compile(relations);
    const { script, tokens } = query.node.body;
    try {
      return await this.#session.describe(text);
    } catch (error) {
      const columns = [...(await this.#inputFields(query))].map(({ name }) => name);
      throw atQuery(error, { script, tokens, originOf, columns });
    }
  }

  /** A cast to a declared type that no value could make. */
  async #castsAreRight(flow: Flow, relations: Relations): Promise<void> {
    if (flow.columns.length === 0) return;
    try {
      await this.#session.describe(flow.query(relations));
    } catch (error) {
      const { script, statement } = { script: flow.node.body.script, statement: flow.node.statement };
      throw atQuery(error, { script, tokens: statement.tokens, originOf: () => statement.name.start });
    }
  }

  async #relations(query: Flow | View): Promise<Relations> {
    const tables = new Map<string, string>();
    for (const name of query.reads) tables.set(name, await this.#emptyTable(name, await this.#fieldsOf(name, query)));
    const { source } = query;
    if (source === undefined) return { tables };
    const stream =
      source.kind === 'table'
        ? await this.#emptyTable(source.table, await this.#fieldsOf(source.table, query))
        : await this.#emptyTable(`${query.node.name} stream`, decodedColumns(source.decode));
    return { stream, tables };
  }

  async #inputFields(query: Flow | View): Promise<Field[]> {
    const { source } = query;
    const own = source === undefined || source.kind === 'table' ? [] : decodedColumns(source.decode);
    const names = [...query.reads, ...(source?.kind === 'table' ? [source.table] : [])];
    const fields = await Promise.all(names.map((name) => this.#fieldsOf(name, query)));
    return [...own, ...fields.flat()];
  }

  async #fieldsOf(name: string, query: Flow | View): Promise<readonly Field[]> {
    const known = this.#schemas.get(name);
    if (known !== undefined) return known;
    const base = quarantined(name);
    const isQuarantine = base !== undefined && this.#project.flows.some((flow) => flow.target === base);
    const fields = isQuarantine ? QUARANTINE_SCHEMA.fields : (await this.#lakeTable(name).snapshot()).schema.fields;
    if (query.node.name !== name) this.#schemas.set(name, fields);
    return fields;
  }

  #lakeTable(name: string): DeltaTable {
    return DeltaTable.at(locationBelow(this.#project.lake, ...name.split('.')), {
      storage: this.#project.storage,
      engine: this.#engine,
      clock: systemClock,
      random: systemRandom,
    });
  }

  async #emptyTable(name: string, fields: readonly Field[]): Promise<string> {
    const known = this.#empty.get(name);
    if (known !== undefined) return known;
    const table = `__sluice_${String(this.#empty.size)}`;
    const columns = fields.map((field) => `${quoteIdent(field.name)} ${duckdbType(field.type)}`);
    await this.#session.run(`CREATE TEMP TABLE ${table} (${columns.join(', ')})`);
    this.#empty.set(name, table);
    return table;
  }
}
