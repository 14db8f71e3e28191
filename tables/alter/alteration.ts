/** What ALTER TABLE can do: the words of `DeltaTable.alter`. */
import type { DataType, Field } from '../../core/schema.ts';
import type { ColumnPath } from './path.ts';

/** One of them is one commit. */
export type Alteration =
  | { readonly addColumns: readonly NewColumn[] }
  /** Needs column mapping: the data files keep the name that they have. */
  | { readonly renameColumn: { readonly from: ColumnPath; readonly to: string } }
  /** Needs column mapping: the values stay in the data files until those are written anew. */
  | { readonly dropColumns: readonly ColumnPath[] }
  | { readonly alterColumn: ColumnChange }
  | { readonly addConstraint: { readonly name: string; readonly expression: string } }
  | { readonly dropConstraint: string }
  /** The columns by which OPTIMIZE puts rows in order from then on; empty for none. Rows that are there wait for the next OPTIMIZE. */
  | { readonly clusterBy: readonly ColumnPath[] }
  /** Of the table. */
  | { readonly comment: string };

/** Where a column stands among its neighbours. */
export type Position = 'first' | { readonly after: string };

export interface NewColumn {
  /** NULL in the rows that are there, so it cannot be NOT NULL. */
  readonly column: Field;
  /** The struct that it is added to. @default the table */
  readonly parent?: ColumnPath;
  /** @default the last */
  readonly position?: Position;
}

export interface ColumnChange {
  readonly column: ColumnPath;
  /** A wider one: BIGINT for INT, DECIMAL(12,2) for DECIMAL(10,2). Needs `delta.enableTypeWidening`. */
  readonly type?: DataType;
  readonly comment?: string;
  /** False: the rows that are there are looked at first. */
  readonly nullable?: boolean;
  readonly position?: Position;
}

export interface AlterResult {
  /** The version that was made; undefined when the table was so already. */
  readonly version: bigint | undefined;
}
