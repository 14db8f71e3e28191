/**
 * The statements of a project as one graph: every name that a query uses belongs to a statement, to a table that is in the
 * lake already, or is refused.
 *
 * Promise: identifiers do not mind the case; a name without a schema is a temporary view of that name, else a table of the
 * schema `default`; what is refused is shown at its place, with the nearest known name.
 */
import { SluiceError } from '../core/errors.ts';
import { showPlace, type Place, type Span } from '../core/source-text.ts';
import { nameAdvice } from '../core/suggest.ts';
import { inOrder } from './graph.ts';
import type { Body } from './parse/body.ts';
import type { Statement } from './parse/statement.ts';
import type { Problems } from './problems.ts';

/** A statement with its query read. */
export interface Definition {
  readonly statement: Statement;
  readonly body: Body;
}

export interface Node extends Definition {
  /** `schema.table` of a table, the plain name of a view; in lower case. */
  readonly name: string;
  readonly at: Place;
  /** What its query names, by node or table. */
  readonly inputs: readonly string[];
}

export type Nodes = ReadonlyMap<string, Node>;

/** A table that holds what could not be read into another one. */
const QUARANTINE = /^(.+\..+)_quarantine$/;

/** The table whose bad records this one holds by its name, if it is one of those. @example quarantined('a.b_quarantine') // 'a.b' */
export function quarantined(table: string): string | undefined {
  return QUARANTINE.exec(table)?.[1];
}

const TABLE_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_-]*$/u;

/**
 * All statements by name, each after what it reads.
 * @param inLake whether a table that no statement makes is in the lake
 * @throws through `problems`: `DUPLICATE_TABLE`, `UNKNOWN_TABLE`, `CYCLE`, `SQL_INVALID`.
 */
export async function resolve(
  definitions: readonly Definition[],
  inLake: (name: string) => Promise<boolean>,
  problems: Problems,
): Promise<Nodes> {
  const named = new Map<string, Definition>();
  for (const definition of definitions)
    await problems.collect(() => {
      const name = nameOf(definition.statement);
      const other = named.get(name);
      if (other !== undefined) throw duplicate(name, definition, other);
      named.set(name, definition);
    });
  const nodes: Node[] = [];
  for (const [name, definition] of named) {
    const { body, statement } = definition;
    const inputs = new Set<string>();
    const uses = [...body.tables, ...(body.stream?.kind === 'table' ? [body.stream.table] : [])];
    for (const use of uses)
      await problems.collect(async () => {
        const input = inputName(use.parts, definition, use, named);
        const known = named.has(input) || madeBy(input, named) !== undefined || (await inLake(input));
        if (!known) throw unknown(input, use, definition, named);
        inputs.add(input);
      });
    nodes.push({ ...definition, name, at: statement.script.placeAt(statement.name.start), inputs: [...inputs] });
  }
  for (const node of nodes)
    await problems.collect(() => {
      const base = quarantined(node.name);
      const other = base === undefined ? undefined : named.get(base);
      if (other !== undefined && hasRecords(other, named)) {
        throw node.body.error(
          'DUPLICATE_TABLE',
          node.statement.name,
          `${node.name} is the quarantine table of ${base ?? ''}`,
          'Give it another name.',
        );
      }
    });
  const ordered = await problems.collect(() =>
    inOrder(
      nodes.map((node) => ({ name: node.name, inputs: node.inputs.map((input) => madeBy(input, named) ?? input) })),
      (way) => cycle(way, nodes),
    ),
  );
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return new Map(
    (ordered ?? []).flatMap(({ name }) => {
      const node = byName.get(name);
      return node === undefined ? [] : [[name, node] as const];
    }),
  );
}

/**
 * The name, in the graph, of what a query names.
 * @throws SluiceError `SQL_INVALID` for a name of three parts.
 */
export function inputName(
  parts: readonly string[],
  { body }: Definition,
  at: Span,
  named: ReadonlyMap<string, unknown>,
): string {
  const [first = '', second] = parts.map((part) => part.toLowerCase());
  if (parts.length > 2) {
    throw body.error(
      'SQL_INVALID',
      at,
      `${parts.join('.')} has too many parts`,
      'A table is named schema.table; there is one catalog only.',
    );
  }
  if (second !== undefined) return `${first}.${second}`;
  return named.has(first) ? first : `default.${first}`;
}

/** The node that makes a table: itself, or the one whose quarantine it is. */
function madeBy(table: string, named: ReadonlyMap<string, Definition>): string | undefined {
  if (named.has(table)) return table;
  const base = quarantined(table);
  const definition = base === undefined ? undefined : named.get(base);
  return definition !== undefined && hasRecords(definition, named) ? base : undefined;
}

/** Whether the rows of a definition come from raw records (Kafka, a generator) and so may be malformed. */
function hasRecords({ body, statement }: Definition, named: ReadonlyMap<string, Definition>): boolean {
  if (statement.kind === 'materialized_view') return false;
  if (body.stream?.kind !== 'table') return body.stream !== undefined;
  const [view, more] = body.stream.table.parts.map((part) => part.toLowerCase());
  const next = more === undefined ? named.get(view ?? '') : undefined;
  return next?.statement.kind === 'view' && next.body !== body && hasRecords(next, named);
}

function nameOf({ name, kind, script }: Statement): string {
  const parts = name.parts.map((part) => part.toLowerCase());
  const most = kind === 'view' ? 1 : 2;
  if (parts.length > most) {
    throw script.error('SQL_INVALID', name, `${name.parts.join('.')} has too many parts`, {
      advice:
        kind === 'view'
          ? 'A temporary view has a name without a schema.'
          : 'A table is named schema.table; there is one catalog only.',
    });
  }
  const wrong = parts.find((part) => !TABLE_NAME.test(part));
  if (wrong !== undefined) {
    throw script.error('SQL_INVALID', name, `${wrong === '' ? 'an empty name' : wrong} cannot be a name`, {
      advice: 'Names are made of letters, digits, _ and -: they are folders of the lake.',
    });
  }
  return kind === 'view' || parts.length === 2 ? parts.join('.') : `default.${parts.join('.')}`;
}

function duplicate(name: string, second: Definition, first: Definition): SluiceError {
  const { script, name: at } = second.statement;
  const place = first.statement.script.placeAt(first.statement.name.start);
  return script.error('DUPLICATE_TABLE', at, `${name} is made twice: it is also made at ${showPlace(place)}`, {
    advice: 'Give one of them another name.',
  });
}

function unknown(name: string, at: Span, { body }: Definition, named: ReadonlyMap<string, Definition>): SluiceError {
  const shown = name.replace(/^default\./, '');
  const otherwise = 'Every input is made by a statement of this project, or is a table that the lake already has.';
  const advice = nameAdvice(shown, [...named.keys()], otherwise);
  return body.error('UNKNOWN_TABLE', at, `there is no table ${shown}`, advice);
}

function cycle(way: readonly string[], nodes: readonly Node[]): SluiceError {
  const node = nodes.find(({ name }) => name === way[0]);
  const message = way.length === 2 ? `${way[0] ?? ''} reads itself` : `a cycle: ${way.join(' → ')}`;
  const advice = 'Each arrow is read by the next name; take one of the reads out.';
  const details = { advice: way.length === 2 ? 'A table cannot be its own input.' : advice, facts: { cycle: way } };
  if (node === undefined) return new SluiceError('CYCLE', message, details);
  return node.statement.script.error('CYCLE', node.statement.name, message, details);
}
