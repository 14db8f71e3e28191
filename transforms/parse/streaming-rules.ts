/**
 * What a query may do with a stream, of which it sees only the new rows: filter, project, join them with tables.
 *
 * Promise: a query whose rows would depend on how the stream was cut into batches is refused, with what to write instead.
 */
import type { SluiceError } from '../../core/errors.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import { cteEntries, textOf, walk, type TreeNode } from '../../engine/tree.ts';
import type { Body } from './body.ts';
import { STREAM_NAME } from './stars.ts';

const AS_A_VIEW = 'Make it a MATERIALIZED VIEW over the table, without STREAM: that is computed from all rows.';

/**
 * @param aggregates DuckDB's aggregate functions, in lower case
 * @throws SluiceError `STREAMING_MISUSE`
 */
export function checkStreaming(body: Body, aggregates: ReadonlySet<string>): void {
  if (body.stream !== undefined) new Rules(body, aggregates).check();
}

type Node = Readonly<TreeNode>;

class Rules {
  readonly #body: Body;
  readonly #aggregates: ReadonlySet<string>;
  /** The stream, and the common table expressions that read it. */
  readonly #carriers = new Map<string, Node | undefined>([[STREAM_NAME, undefined]]);
  #followed = 0;

  constructor(body: Body, aggregates: ReadonlySet<string>) {
    this.#body = body;
    this.#aggregates = aggregates;
  }

  check(): void {
    const root = rootOf(this.#body.tree);
    this.#findCarriers(root);
    const uses = this.#usesIn(root);
    this.#follow(root);
    if (this.#followed < uses) {
      throw this.#misuse(
        'the stream is read more than once',
        'A query sees each new row once. Read the table without STREAM in the other places.',
      );
    }
  }

  #findCarriers(root: Node): void {
    for (let before = -1; before < this.#carriers.size;) {
      before = this.#carriers.size;
      walk(root, new Set(), (node) => {
        for (const { name, query } of cteEntries(node['cte_map'])) {
          if (!this.#carriers.has(name) && this.#usesIn(query) > 0) this.#carriers.set(name, query);
        }
      });
    }
  }

  #usesIn(node: Node): number {
    let uses = 0;
    walk(node, new Set(), (inner) => {
      if (this.#isCarrier(inner)) uses++;
    });
    return uses;
  }

  #isCarrier(node: Node): boolean {
    return (
      node['type'] === 'BASE_TABLE' &&
      node['schema_name'] === '' &&
      this.#carriers.has(textOf(node['table_name']).toLowerCase())
    );
  }

  /** Goes from a query to the one in its FROM that has the stream. */
  #follow(query: Node): void {
    if (query['type'] !== 'SELECT_NODE') {
      const name =
        query['type'] === 'RECURSIVE_CTE_NODE' ? 'a recursive query' : textOf(query['setop_type']) || 'a set operation';
      throw this.#misuse(
        `${name} over a stream`,
        'Write one streaming table for each part, or make it a MATERIALIZED VIEW.',
      );
    }
    this.#refuseIn(query);
    if (!this.#from(query['from_table'])) {
      throw this.#misuse(
        'STREAM must stand in the FROM of the outer query',
        'A subquery reads its table whole: leave STREAM out there.',
      );
    }
  }

  /** Whether the stream is in this part of a FROM. */
  #from(from: Json | undefined): boolean {
    if (!isJsonObject(from)) return false;
    if (this.#isCarrier(from)) {
      this.#followed++;
      const query = this.#carriers.get(textOf(from['table_name']).toLowerCase());
      if (query !== undefined) this.#follow(query);
      return true;
    }
    if (this.#usesIn(from) === 0) return false;
    if (from['type'] === 'JOIN') return this.#join(from);
    const subquery =
      from['type'] === 'SUBQUERY' && isJsonObject(from['subquery']) ? from['subquery']['node'] : undefined;
    if (!isJsonObject(subquery)) throw this.#misuse(`${textOf(from['type'])} over a stream`, AS_A_VIEW);
    this.#follow(subquery);
    return true;
  }

  #join(join: Node): boolean {
    const [left, right] = [this.#from(join['left']), this.#from(join['right'])];
    if (!left && !right) return false;
    if (left && right) {
      throw this.#misuse(
        'the stream is joined with itself',
        'Join it with its table read whole: STREAM(t) AS s JOIN t ON ….',
      );
    }
    const type = textOf(join['join_type']);
    const keepsRows = type === 'INNER' || (left ? ['LEFT', 'SEMI', 'ANTI'].includes(type) : type === 'RIGHT');
    if (!keepsRows || join['ref_type'] === 'POSITIONAL') {
      throw this.#misuse(
        `a ${type === 'OUTER' ? 'FULL OUTER' : type} JOIN over a stream`,
        'The stream must be the side whose rows are kept: FROM STREAM(…) LEFT JOIN table.',
      );
    }
    return true;
  }

  #refuseIn(query: Node): void {
    const groups = query['group_expressions'];
    const grouped = (Array.isArray(groups) && groups.length > 0) || query['aggregate_handling'] === 'FORCE_AGGREGATES';
    if (grouped) throw this.#misuse('GROUP BY over a stream, without a watermark,', AS_A_VIEW, groups);
    const modifiers = Array.isArray(query['modifiers']) ? (query['modifiers'] as readonly Json[]) : [];
    for (const modifier of modifiers) {
      const kind = isJsonObject(modifier)
        ? textOf(modifier['type']).replace('_MODIFIER', '').replace('_PERCENT', '')
        : '';
      const word = kind === 'ORDER' ? 'ORDER BY' : kind;
      throw this.#misuse(
        `${word} over a stream`,
        kind === 'ORDER' ? 'Leave it out: rows of a table have no order.' : AS_A_VIEW,
      );
    }
    for (const part of ['select_list', 'where_clause', 'having', 'qualify']) this.#refuseFunctions(query[part]);
  }

  #refuseFunctions(node: Json | undefined): void {
    if (Array.isArray(node)) for (const item of node as readonly Json[]) this.#refuseFunctions(item);
    if (!isJsonObject(node) || node['type'] === 'SUBQUERY') return;
    const name = textOf(node['function_name']).toLowerCase();
    if (node['class'] === 'WINDOW') throw this.#misuse(`the window function ${name} over a stream`, AS_A_VIEW, node);
    if (node['class'] === 'FUNCTION' && this.#aggregates.has(name)) {
      throw this.#misuse(`the aggregate ${name} over a stream, without a watermark,`, AS_A_VIEW, node);
    }
    for (const child of Object.values(node)) this.#refuseFunctions(child);
  }

  #misuse(what: string, advice: string, at?: Json): SluiceError {
    const node = Array.isArray(at) ? (at as readonly Json[])[0] : at;
    const location = isJsonObject(node) ? node['query_location'] : undefined;
    const span = this.#body.spanOf(typeof location === 'number' ? location : undefined) ?? this.#body.stream;
    const message = / over a stream/.test(what) ? `${what} would depend on how it is cut into batches` : what;
    return this.#body.error('STREAMING_MISUSE', span, message.replace('count_star', 'count(*)'), advice);
  }
}

function rootOf(tree: Json): Node {
  const [statement] =
    isJsonObject(tree) && Array.isArray(tree['statements']) ? (tree['statements'] as readonly Json[]) : [];
  return isJsonObject(statement) && isJsonObject(statement['node']) ? statement['node'] : {};
}
