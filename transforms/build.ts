/** From resolved statements to flows: views inlined, options read, the query ready to be put over relations. */
import { createHash } from 'node:crypto';
import { applyEdits, type EditedText } from '../core/edits.ts';
import { SluiceError } from '../core/errors.ts';
import { quoteIdent } from '../engine/quoting.ts';
import { duckdbType } from '../engine/types.ts';
import { METADATA_COLUMN } from '../ingest/decode/decode.ts';
import type { Config } from './config.ts';
import type { DeclaredColumn, Expectation, Flow, FlowSource, Relations, View } from './flow.ts';
import type { ExpectClause } from './parse/column-list.ts';
import { dialectEdits } from './parse/dialect.ts';
import { inputName, type Node, type Nodes } from './resolve.ts';
import { schemaOf, sourceOf } from './source-options.ts';

/**
 * The flow of a table's statement.
 * @throws SluiceError `STREAMING_MISUSE`, `SQL_INVALID`, `CONFIG_INVALID`, each with its place.
 */
export function buildFlow(node: Node, nodes: Nodes, config: Config): Flow {
  const { statement, body, at } = node;
  const kind = statement.kind === 'streaming_table' ? 'streaming_table' : 'materialized_view';
  if (kind === 'streaming_table' && body.stream === undefined) {
    throw body.error(
      'STREAMING_MISUSE',
      statement.name,
      `${node.name} reads no STREAM`,
      'Write FROM STREAM(table) for its new rows only, or make it a MATERIALIZED VIEW.',
    );
  }
  if (kind === 'materialized_view' && body.stream !== undefined) {
    throw body.error(
      'STREAMING_MISUSE',
      body.stream,
      `${node.name} is a materialized view, which reads its inputs whole`,
      'Leave STREAM out, or make it a STREAMING TABLE.',
    );
  }
  const columns = declaredColumns(node);
  const compile = (relations: Relations): EditedText => compileNode(node, nodes, relations);
  return {
    kind,
    target: node.name,
    at,
    source: sourceIn(node, nodes, config),
    reads: readsOf(node, nodes),
    partitionedBy: statement.partitionedBy.map(({ value }) => value),
    properties: statement.properties,
    comment: statement.comment,
    columns,
    expectations: statement.expectations.map((clause) => expectation(clause, node)),
    definitionHash: createHash('sha256').update(definitionText(node, nodes)).digest('hex'),
    node,
    compile,
    query: (relations) => declared(compile(relations).text, columns),
  };
}

function expectation({ name, condition, onViolation }: ExpectClause, { statement: { script } }: Node): Expectation {
  const start = condition[0]?.start ?? 0;
  const text = script.text.slice(start, condition.at(-1)?.end);
  const edits = dialectEdits(condition).map((e) => ({ ...e, start: e.start - start, end: e.end - start }));
  const edited = applyEdits(text, edits);
  return {
    name: name.value,
    condition: edited.text,
    originOf: (offset) => start + edited.originOf(offset),
    onViolation,
    at: script.placeAt(name.start),
  };
}

/** A temporary view, for checks: it is inlined wherever it is read. */
export function buildView(node: Node, nodes: Nodes, config: Config): View {
  const typed = node.statement.columns.find(({ type, notNull }) => type.length > 0 || notNull);
  if (typed !== undefined) {
    throw node.body.error(
      'SQL_INVALID',
      typed.name,
      'the columns of a temporary view have names and comments only',
      'Cast them in the query.',
    );
  }
  return {
    name: node.name,
    at: node.at,
    source: sourceIn(node, nodes, config),
    reads: readsOf(node, nodes),
    node,
    compile: (relations) => compileNode(node, nodes, relations),
  };
}

/** The stream of a query, or of the view that it streams. */
function sourceIn(node: Node, nodes: Nodes, config: Config): FlowSource | undefined {
  const { stream } = node.body;
  for (const use of node.body.tables) {
    const view = viewNamed(inputName(use.parts, node, use, nodes), nodes);
    if (view !== undefined && streams(view, nodes)) {
      throw node.body.error(
        'STREAMING_MISUSE',
        use,
        `${view.name} reads a stream`,
        `Write STREAM(${view.name}), in a STREAMING TABLE.`,
      );
    }
  }
  if (stream === undefined) return undefined;
  if (stream.kind === 'function') return sourceOf(stream, node.statement.script, config);
  const table = inputName(stream.table.parts, node, stream.table, nodes);
  const made = nodes.get(table);
  if (made?.statement.kind === 'materialized_view') {
    throw node.body.error(
      'STREAMING_MISUSE',
      stream,
      `${table} is a materialized view: a refresh may change any of its rows`,
      `Read it without STREAM, in a MATERIALIZED VIEW, or make ${table} a STREAMING TABLE.`,
    );
  }
  if (made?.statement.kind !== 'view') return { kind: 'table', table };
  const source = sourceIn(made, nodes, config);
  if (source === undefined) {
    throw node.body.error(
      'STREAMING_MISUSE',
      stream,
      `the view ${table} reads no stream`,
      `Write STREAM in the query of ${table}, or leave it out here.`,
    );
  }
  return source;
}

function streams(view: Node, nodes: Nodes): boolean {
  return (
    view.body.stream !== undefined ||
    view.body.tables.some((use) => {
      const inner = viewNamed(inputName(use.parts, view, use, nodes), nodes);
      return inner !== undefined && streams(inner, nodes);
    })
  );
}

function viewNamed(name: string, nodes: Nodes): Node | undefined {
  const node = nodes.get(name);
  return node?.statement.kind === 'view' ? node : undefined;
}

/** The views that a query reads, streamed or not, and the tables that it reads whole. */
function inputsOf(node: Node, nodes: Nodes): { readonly views: readonly Node[]; readonly tables: readonly string[] } {
  const { stream, tables: uses } = node.body;
  const read = uses.map((use) => inputName(use.parts, node, use, nodes));
  const streamed = stream?.kind === 'table' ? [inputName(stream.table.parts, node, stream.table, nodes)] : [];
  return {
    views: [...streamed, ...read].flatMap((name) => viewNamed(name, nodes) ?? []),
    tables: read.filter((name) => viewNamed(name, nodes) === undefined),
  };
}

function readsOf(node: Node, nodes: Nodes): string[] {
  const { views, tables } = inputsOf(node, nodes);
  return [...new Set([...tables, ...views.flatMap((view) => readsOf(view, nodes))])];
}

function compileNode(node: Node, nodes: Nodes, relations: Relations): EditedText {
  const { stream } = node.body;
  const inlined = (name: string): string | undefined => {
    const view = viewNamed(name, nodes);
    return view && viewRelation(view, compileNode(view, nodes, relations).text);
  };
  const streamedView =
    stream?.kind === 'table' ? inlined(inputName(stream.table.parts, node, stream.table, nodes)) : undefined;
  const hides = stream?.kind === 'function';
  const rows =
    hides && relations.stream !== undefined && !node.body.mentions(METADATA_COLUMN)
      ? `(SELECT * EXCLUDE (${quoteIdent(METADATA_COLUMN)}) FROM ${relations.stream})`
      : relations.stream;
  return node.body.compile({
    stream: streamedView ?? rows,
    hidden: hides ? METADATA_COLUMN : undefined,
    table: (use) => {
      const name = inputName(use.parts, node, use, nodes);
      const relation = inlined(name) ?? relations.tables.get(name);
      if (relation === undefined) throw new SluiceError('INTERNAL', `${node.name}: no relation for ${name}`);
      return relation;
    },
  });
}

/** `CREATE TEMPORARY VIEW v (a, b)` gives the columns new names, in order. */
function viewRelation(view: Node, sql: string): string {
  const names = view.statement.columns.map(({ name }) => quoteIdent(name.value));
  return names.length === 0 ? `(${sql})` : `(SELECT * FROM (${sql}) AS v(${names.join(', ')}))`;
}

/** A column list with types casts; it also gives the order. */
function declared(sql: string, columns: readonly DeclaredColumn[]): string {
  if (columns.length === 0) return sql;
  const list = columns.map(({ name, field }) => {
    const own = quoteIdent(name);
    return field === undefined ? `q.${own} AS ${own}` : `CAST(q.${own} AS ${duckdbType(field.type)}) AS ${own}`;
  });
  return `SELECT ${list.join(', ')} FROM (${sql}) AS q`;
}

function declaredColumns({ statement: { columns, script } }: Node): DeclaredColumn[] {
  return columns.map(({ name, type, notNull, comment }) => {
    const [first, last] = [type[0], type.at(-1)];
    const own = { name: name.value, notNull, comment, at: script.placeAt(name.start), span: name };
    if (first === undefined || last === undefined) return { ...own, field: undefined };
    const span = { start: first.start, end: last.end };
    const [field] = schemaOf(`c ${script.text.slice(span.start, span.end)}`, span, script).fields;
    return { ...own, field };
  });
}

/** All tokens of the statement and of the views that it reads: neither white space nor comments. */
function definitionText(node: Node, nodes: Nodes): string {
  const own = node.statement.tokens.map(({ text }) => text).join(' ');
  return [own, ...inputsOf(node, nodes).views.map((view) => definitionText(view, nodes))].join(';\n');
}
