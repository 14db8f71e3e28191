/** A project resolved and type-checked without running it. */
import { SluiceError } from '../core/errors.ts';
import type { StructType } from '../core/schema.ts';
import type { Engine } from '../engine/engine.ts';
import type { Flow, Project } from './project.ts';

export interface CheckedFlow {
  readonly flow: Flow;
  /** The columns of the flow's table. */
  readonly schema: StructType;
}

/**
 * Resolves and type-checks every flow, inputs first, without running any.
 * @throws SluiceError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `SQL_INVALID`, `STREAMING_MISUSE`, `TYPE_UNSUPPORTED`.
 */
export async function checkProject(project: Project, engine: Engine): Promise<CheckedFlow[]> {
  await Promise.resolve(engine);
  throw new SluiceError('INTERNAL', `${project.root}: not there yet`);
}
