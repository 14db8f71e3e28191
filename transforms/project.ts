/** A project folder: `sluice.yaml` and `pipelines/**` with SQL files, read into flows. */
import { SluiceError } from '../core/errors.ts';
import type { Config } from './config.ts';
import type { Flow } from './flow.ts';
import type { Environment } from './variables.ts';

export type { Expectation, Flow, FlowSource } from './flow.ts';

export interface Project {
  /** The project's folder, absolute. */
  readonly root: string;
  /** The folder of the tables, absolute. */
  readonly lake: string;
  readonly config: Config;
  /** Every inputs' flow comes before the flows that read it. */
  readonly flows: readonly Flow[];
}

/**
 * Reads a project. The tables need not exist.
 * @throws SluiceError `CONFIG_INVALID`, `SQL_SYNTAX`, `UNKNOWN_TABLE`, `DUPLICATE_TABLE`, `CYCLE`, `STREAMING_MISUSE`; other
 *   errors of the same project are in its `cause`.
 * @example const project = await loadProject('my-lake', process.env);
 */
export async function loadProject(folder: string, env: Environment): Promise<Project> {
  await Promise.resolve(env);
  throw new SluiceError('INTERNAL', `${folder}: not there yet`);
}
