/**
 * What a pipeline is made of once it is read: flows (source → query → table), temporary views, expectations.
 *
 * Promise: a flow carries everything that a run needs, and nothing in it depends on the state of the lake.
 */
import type { Field } from '../core/schema.ts';
import type { DecodeSpec } from '../ingest/decode/decode.ts';
import type { GenerateOptions } from '../ingest/generate/index.ts';
import type { KafkaOptions } from '../ingest/kafka/index.ts';
import type { Body } from './parse/body.ts';
import type { Place } from '../core/source-text.ts';

export type OnViolation = 'warn' | 'drop' | 'fail';

/** `CONSTRAINT name EXPECT (condition) [ON VIOLATION …]`. */
export interface Expectation {
  readonly name: string;
  /** The condition in the SQL of DuckDB. */
  readonly condition: string;
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
  /** The type is undefined where the list gives a name only. */
  readonly field: Omit<Field, 'type'> & { readonly type: Field['type'] | undefined };
  readonly at: Place;
}

export interface Flow {
  readonly kind: 'streaming_table' | 'materialized_view';
  /** `schema.table`, in lower case. */
  readonly target: string;
  readonly at: Place;
  /** The new rows of a streaming table; a materialized view has none. */
  readonly source: FlowSource | undefined;
  /** The tables that the query reads whole, as `schema.table`. */
  readonly reads: readonly string[];
  readonly partitionedBy: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly comment: string | undefined;
  /** The column list; empty when there is none. */
  readonly columns: readonly DeclaredColumn[];
  readonly expectations: readonly Expectation[];
  /** Changes when the meaning of the statement (or of a view that it reads) may have changed; white space does not matter. */
  readonly definitionHash: string;
  /** The query as written, for those who need places in it. */
  readonly body: Body;
  /**
   * The query in the SQL of DuckDB, over the given relations.
   * @throws SluiceError `INTERNAL` when a relation is missing.
   */
  query(relations: Relations): string;
}
