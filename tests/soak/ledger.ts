/**
 * What each batch of rows must be in the table, from what the writers were asked and what they answered.
 *
 * Promise: pure. A writer that was killed, or did not know how its operation ended, leaves a batch with two states that are both
 * right; such a batch is never touched again, so that both stay checkable. Everything else has one state.
 */
import { createHash } from 'node:crypto';

/** The rows of a batch: `i` → `v`. */
export type Rows = ReadonlyMap<number, number>;

export type Operation =
  | { readonly do: 'append'; readonly batch: string; readonly rows: number; readonly v: number }
  | { readonly do: 'update'; readonly batch: string }
  /** Rows with `i % of = rest` go; `of` 1: all of them. */
  | { readonly do: 'delete'; readonly batch: string; readonly of: number; readonly rest: number }
  /** Rows 0 … `rows` - 1 get the value, and come when they are not there. */
  | { readonly do: 'merge'; readonly batch: string; readonly rows: number; readonly v: number }
  | { readonly do: 'optimize' };

/** `unknown`: nobody can say whether it was committed. */
export type Outcome = 'committed' | 'refused' | 'unknown';

/** The rows of a batch after an operation on it. */
function after(rows: Rows, operation: Operation): Rows {
  const changed = new Map(rows);
  switch (operation.do) {
    case 'append':
    case 'merge':
      for (let i = 0; i < operation.rows; i++) changed.set(i, operation.v);
      return changed;
    case 'update':
      for (const [i, v] of rows) changed.set(i, v + 1);
      return changed;
    case 'delete':
      for (const i of rows.keys()) if (i % operation.of === operation.rest) changed.delete(i);
      return changed;
    case 'optimize':
      return rows;
  }
}

/** `rows of them, and a checksum over them`: what readers compute with SQL. */
function digestOf(rows: Rows): string {
  const text = [...rows].sort(([a], [b]) => a - b).map(([i, v]) => `${String(i)}:${String(v)}`);
  return `${String(rows.size)} ${createHash('md5').update(text.join(',')).digest('hex')}`;
}

export class Ledger {
  readonly #states = new Map<string, readonly Rows[]>();

  note(operation: Operation, outcome: Outcome): void {
    if (operation.do === 'optimize' || outcome === 'refused') return;
    const [before = new Map<number, number>()] = this.#states.get(operation.batch) ?? [];
    const then = after(before, operation);
    this.#states.set(operation.batch, outcome === 'committed' ? [then] : [before, then]);
  }

  /** Batches of a writer that have one state, and rows. */
  live(writer: string): string[] {
    return [...this.#states].flatMap(([batch, [rows, other]]) =>
      other === undefined && (rows?.size ?? 0) > 0 && batch.startsWith(`${writer}-`) ? [batch] : [],
    );
  }

  rowsOf(batch: string): Rows {
    return this.#states.get(batch)?.[0] ?? new Map<number, number>();
  }

  get batches(): number {
    return this.#states.size;
  }

  /** What is wrong with what a reader found: batch → digest, of batches that have rows. */
  problems(found: ReadonlyMap<string, string>): string[] {
    const problems: string[] = [];
    for (const [batch, digest] of found) {
      if (!this.#states.has(batch)) problems.push(`${batch}: ${digest}, and nobody wrote it`);
    }
    for (const [batch, states] of this.#states) {
      const digest = found.get(batch) ?? digestOf(new Map());
      const right = states.map(digestOf);
      if (!right.includes(digest)) problems.push(`${batch}: found ${digest}, right would be ${right.join(' or ')}`);
    }
    return problems;
  }
}
