/**
 * A project folder: `sluice.yaml` and `pipelines/**` with SQL files, read into flows.
 *
 * Promise: nothing is run and nothing written; all errors of a project are told at once, each with its place.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve as absolute, sep } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { SluiceError, systemCodeOf } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import { Engine } from '../engine/engine.ts';
import type { Session } from '../engine/session.ts';
import { DeltaTable, locationBelow, locationFrom, Storage } from '../tables/index.ts';
import { buildFlow, buildView } from './build.ts';
import { parseConfig, type Config } from './config.ts';
import type { Flow, View } from './flow.ts';
import { Body } from './parse/body.ts';
import { Script } from './parse/script.ts';
import { parseStatement } from './parse/statement.ts';
import { checkStreaming } from './parse/streaming-rules.ts';
import { Problems } from './problems.ts';
import { resolve, type Definition } from './resolve.ts';
import { storageSettings } from './storage.ts';
import type { Environment } from './variables.ts';

export type { Expectation, Flow } from './flow.ts';

export interface Project {
  /** The project's folder, absolute. */
  readonly root: string;
  /** Where the tables are: an absolute path, or a URI. */
  readonly lake: string;
  readonly storage: Storage;
  readonly config: Config;
  /** Each after those whose tables it reads. */
  readonly flows: readonly Flow[];
  /** The temporary views, in the same order; flows have them inlined. */
  readonly views: readonly View[];
}

const CONFIG_FILE = 'sluice.yaml';
const PIPELINES = 'pipelines';

/**
 * Reads a project. Its tables need not exist yet.
 * @throws SluiceError `CONFIG_INVALID`, `SQL_SYNTAX`, `SQL_INVALID`, `UNKNOWN_TABLE`, `DUPLICATE_TABLE`, `CYCLE`,
 *   `STREAMING_MISUSE`; when there are several, the code is that of the first and the message tells all.
 * @example const project = await loadProject('my-lake', process.env);
 */
export async function loadProject(folder: string, env: Environment): Promise<Project> {
  const root = absolute(folder);
  const config = parseConfig(await readConfig(root), CONFIG_FILE, env);
  const lake = locationFrom(root, config.lake);
  const storage = new Storage(storageSettings(config, { env, root }));
  const files = await pipelineFiles(root);
  const problems = new Problems();
  const engine = await Engine.open({ memoryLimit: '100MB', threads: 1 });
  try {
    const session = await engine.session();
    const aggregates = await aggregateFunctions(session);
    const definitions: Definition[] = [];
    for (const file of files) {
      const text = await readFile(join(root, file), 'utf8');
      const script = await problems.collect(() => new Script(file, text, env));
      if (script !== undefined) definitions.push(...(await definitionsOf(script, session, aggregates, problems)));
    }
    session.close();
    problems.throwAny();
    const inLake = (name: string): Promise<boolean> =>
      DeltaTable.at(locationBelow(lake, ...name.split('.')), {
        engine,
        clock: systemClock,
        random: systemRandom,
        storage,
      }).exists();
    const nodes = await resolve(definitions, inLake, problems);
    const flows: Flow[] = [];
    const views: View[] = [];
    for (const node of nodes.values()) {
      await problems.collect(() => {
        if (node.statement.kind === 'view') views.push(buildView(node, nodes, config));
        else flows.push(buildFlow(node, nodes, config));
      });
    }
    problems.throwAny();
    return { root, lake, storage, config, flows, views };
  } finally {
    engine.close();
  }
}

async function definitionsOf(
  script: Script,
  session: Session,
  aggregates: ReadonlySet<string>,
  problems: Problems,
): Promise<Definition[]> {
  const definitions: Definition[] = [];
  for (const tokens of script.statements()) {
    await problems.collect(async () => {
      const statement = parseStatement(script, tokens);
      const body = await Body.read(script, statement.query, session);
      checkStreaming(body, aggregates);
      definitions.push({ statement, body });
    });
  }
  return definitions;
}

async function aggregateFunctions(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.rows(
    "SELECT function_name AS name FROM duckdb_functions() GROUP BY ALL HAVING bool_and(function_type = 'aggregate')",
  );
  return new Set(rows.map(({ name }) => (typeof name === 'string' ? name : '')));
}

async function readConfig(root: string): Promise<string> {
  try {
    return await readFile(join(root, CONFIG_FILE), 'utf8');
  } catch (error) {
    const missing = systemCodeOf(error) === 'ENOENT';
    throw new SluiceError(
      'CONFIG_INVALID',
      missing ? `there is no ${CONFIG_FILE} in ${root}` : `${CONFIG_FILE} in ${root} cannot be read`,
      {
        advice: missing
          ? 'Go to the folder of a project, or make one with `sluice init`.'
          : 'Give the user that runs sluice the right to read it.',
        cause: error,
      },
    );
  }
}

/** Relative paths with `/`, sorted, so that every machine reads them in the same order. */
async function pipelineFiles(root: string): Promise<string[]> {
  const entries = await readdir(join(root, PIPELINES), { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (systemCodeOf(error) === 'ENOENT') return [];
      throw new SluiceError('CONFIG_INVALID', `${join(root, PIPELINES)} cannot be read`, { cause: error });
    },
  );
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sql'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
  if (files.length > 0) return files.sort();
  throw new SluiceError('CONFIG_INVALID', `there are no SQL files under ${join(root, PIPELINES)}`, {
    advice: 'Write the statements of the pipeline into files such as pipelines/bronze.sql.',
  });
}
