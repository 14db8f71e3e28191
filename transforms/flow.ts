/**
 * What a pipeline is made of once it is read: flows (source → query → table), temporary views, expectations.
 *
 * Promise: a flow carries everything that a run needs, and nothing in it depends on the state of the lake.
 */
import type { EditedText } from '../core/edits.ts';
import type { Field } from '../core/schema.ts';
import type { Place, Span } from '../core/source-text.ts';
import type { DecodeSpec } from '../ingest/decode/decode.ts';
import type { GenerateOptions } from '../ingest/generate/index.ts';
import type { KafkaOptions } from '../ingest/kafka/index.ts';
import type { OnViolation } from './parse/column-list.ts';
import type { Node } from './resolve.ts';

/** The property, of a materialized view's table, that tells which definition made the rows. */
export const DEFINITION_HASH = 'sluice.definitionHash';

/** `CONSTRAINT name EXPECT (condition) [ON VIOLATION …]`. */
export interface Expectation {
  readonly name: string;
  /** The condition in the SQL of DuckDB. */
  readonly condition: string;
  /** From an offset in `condition` to one in the script. */
  readonly originOf: (offset: number) => number;
  readonly onViolation: OnViolation;
  readonly at: Place;
}

/** Where the new rows of a streaming table come from. */
export type FlowSource =
  | { readonly kind: 'kafka'; readonly options: KafkaOptions; readonly decode: DecodeSpec }
  | { readonly kind: 'generate'; readonly options: GenerateOptions; readonly decode: DecodeSpec }
  | { readonly kind: 'table'; readonly table: string };

/** The relations that a query runs over: for the stream those rows that are new, for each table those of a pinned version. */
export interface Relations {
  /** A table name or parenthesised SELECT; needed when the flow has a source. */
  readonly stream?: string;
  /** One for each of the flow's `reads`. */
  readonly tables: ReadonlyMap<string, string>;
}

/** One column of a column list. */
export interface DeclaredColumn {
  readonly name: string;
  /** Undefined where the list gives no type. */
  readonly field: Field | undefined;
  readonly notNull: boolean;
  readonly comment: string | undefined;
  readonly at: Place;
  readonly span: Span;
}

/** What flows and temporary views have in common. */
interface Query {
  readonly at: Place;
  /** The stream that is read; undefined for a query over whole tables. */
  readonly source: FlowSource | undefined;
  /** The tables that are read whole, as `schema.table`. */
  readonly reads: readonly string[];
  /** The statement, with the places of its parts. */
  readonly node: Node;
  /** The query as written, over the given relations, with the way back to its places in the script. */
  compile(relations: Relations): EditedText;
}

export interface View extends Query {
  readonly name: string;
}

export interface Flow extends Query {
  readonly kind: 'streaming_table' | 'materialized_view';
  /** `schema.table`, in lower case. */
  readonly target: string;
  readonly partitionedBy: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly comment: string | undefined;
  /** The column list; empty when there is none. */
  readonly columns: readonly DeclaredColumn[];
  readonly expectations: readonly Expectation[];
  /** Changes when the statement, or a view that it reads, changes in more than white space and comments. */
  readonly definitionHash: string;
  /**
   * The query in the SQL of DuckDB over the given relations, with the columns cast as the column list says.
   * @throws SluiceError `INTERNAL` when a relation is missing.
   */
  query(relations: Relations): string;
}
