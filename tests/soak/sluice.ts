/** sluice as a writer: one handle and one session for as long as the process lives. */
import { createInterface } from 'node:readline';
import { systemClock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { systemRandom } from '../../core/random.ts';
import { field, primitive, struct } from '../../core/schema.ts';
import { Engine } from '../../engine/engine.ts';
import { DeltaTable, Storage } from '../../tables/index.ts';
import type { Operation } from './ledger.ts';
import { STATE, stateOf } from './state.ts';

const SCHEMA = struct([
  field('b', primitive('string')),
  field('p', primitive('string')),
  field('i', primitive('long')),
  field('v', primitive('long')),
]);
const partitionColumns = ['p'];

const engine = await Engine.open({ memoryLimit: '400MB', threads: 2 });
const session = await engine.session();
const cache = process.env['SOAK_CACHE'];
const storage = new Storage(cache === undefined ? {} : { cache: { folder: cache } });
let table: DeltaTable | undefined;

/** Batches of one partition meet in one file when it is written anew. */
function rowsOf(batch: string, rows: number, v: number): string {
  return `SELECT '${batch}' AS b, '${batch.slice(-1)}' AS p, range AS i, ${String(v)}::BIGINT AS v FROM range(${String(rows)})`;
}

async function work(table: DeltaTable, operation: Operation | { readonly do: 'state' }): Promise<unknown> {
  switch (operation.do) {
    case 'append': {
      const add = await table.stage(session, rowsOf(operation.batch, operation.rows, operation.v), {
        schema: SCHEMA,
        partitionColumns,
      });
      const done = await table.commit({
        operation: 'WRITE',
        mode: 'append',
        add,
        schema: SCHEMA,
        partitionColumns,
      });
      if (done.kind === 'conflict') throw new SluiceError('COMMIT_CONTENTION', done.reason.message);
      return done.version.toString();
    }
    case 'update':
      await table.update(session, { set: { v: 'v + 1' }, where: `b = '${operation.batch}'` });
      return true;
    case 'delete':
      await table.delete(session, {
        where: `b = '${operation.batch}' AND i % ${String(operation.of)} = ${String(operation.rest)}`,
      });
      return true;
    case 'merge':
      await table.merge(session, {
        source: rowsOf(operation.batch, operation.rows, operation.v),
        on: 'target.b = source.b AND target.i = source.i',
        whenMatched: [{ set: { v: 'source.v' } }],
        whenNotMatched: [{ values: '*' }],
      });
      return true;
    case 'optimize':
      await table.optimize(session);
      return true;
    case 'state':
      return stateOf(await session.rows(`${STATE} ${await (await table.snapshot()).relation()} AS t GROUP BY b`));
  }
}

process.stdout.write('{"ok":"ready"}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { location, ...request } = JSON.parse(line) as (Operation | { readonly do: 'state' }) & {
    readonly location: string;
  };
  table ??= DeltaTable.at(location, { engine, clock: systemClock, random: systemRandom, storage });
  try {
    process.stdout.write(`${JSON.stringify({ ok: await work(table, request) })}\n`);
  } catch (error) {
    const code = error instanceof SluiceError ? error.code : '';
    process.stdout.write(
      `${JSON.stringify({ error: `${code} ${error instanceof Error ? (error.stack ?? '') : ''}` })}\n`,
    );
  }
}
