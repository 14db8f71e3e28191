/**
 * Conditions and values that give the same answer each time: they are computed once to find the rows, and again to write
 * them. Source: Databricks refuses the same in UPDATE, DELETE and MERGE.
 */
import { SluiceError } from '../../core/errors.ts';
import { walk } from '../../engine/tree.ts';
import type { Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';

/**
 * Runs work in a transaction, in which now() stands still.
 * @param session without a transaction of its own
 */
export async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.run('BEGIN');
  try {
    const result = await work();
    await session.run('COMMIT');
    return result;
  } catch (error) {
    await session.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** @throws SluiceError `SQL_INVALID` for expressions with random(), window functions and the like; `SQL_SYNTAX` for what is none */
export async function checkStable(session: Session, expressions: readonly string[], table: string): Promise<void> {
  for (const expression of expressions) {
    const refuse = (code: 'SQL_INVALID' | 'SQL_SYNTAX', why: string, cause?: unknown): never => {
      throw new SluiceError(code, `${table}: ${expression.trim()}: ${why}`, {
        advice:
          code === 'SQL_SYNTAX' ? 'Write it as SQL over the columns.' : 'Compute it into a column of a source first.',
        facts: { table },
        cause,
      });
    };
    if (expression.trim() === '') refuse('SQL_SYNTAX', 'it is empty');
    const tree = await session.serialize(`SELECT (${expression}\n)`).catch((error: unknown) => {
      return refuse('SQL_SYNTAX', error instanceof SluiceError ? error.message : 'it is no SQL', error);
    });
    const names = new Set<string>();
    walk(tree, new Set(), (node) => {
      if (node['class'] === 'WINDOW') refuse('SQL_INVALID', 'a window function sees other rows');
      if (node['class'] === 'FUNCTION' && typeof node['function_name'] === 'string')
        names.add(node['function_name'].toLowerCase());
    });
    if (names.size === 0) continue;
    const volatile = await session.rows(
      `SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE stability = 'VOLATILE'`,
    );
    const found = volatile.map(({ name }) => textOf(name)).find((name) => names.has(name));
    if (found !== undefined) refuse('SQL_INVALID', `${found}() gives another answer each time`);
  }
}
