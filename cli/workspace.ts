/**
 * What commands work with: the project's folder and settings, its tables, and the engine, opened and closed around the work.
 *
 * Promise: commands that only read need no valid pipeline, just a valid sluice.yaml; the engine is closed and its spill
 * folder removed however the work ends.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import { Engine } from '../engine/engine.ts';
import { lakeCatalog, type Catalog } from '../query/index.ts';
import { locationFrom, schemeOf, Storage, type TableParts } from '../tables/index.ts';
import { parseConfig, type Config } from '../transforms/config.ts';
import { storageSettings } from '../transforms/storage.ts';
import type { Io } from './io.ts';
import { spillFolder } from './spill.ts';

const CONFIG_FILE = 'sluice.yaml';

export interface ProjectFolder {
  /** Absolute. */
  readonly root: string;
  /** An absolute path, or a URI. */
  readonly lake: string;
  readonly config: Config;
}

export interface Workspace extends ProjectFolder {
  readonly parts: TableParts;
  readonly catalog: Catalog;
  /** For an end by force: removes the spill folder. */
  readonly cleanUp: () => void;
}

/**
 * The project of `--project`, or the nearest one upwards.
 * @returns undefined when there is none and none was named
 * @throws SluiceError `CONFIG_INVALID`
 */
export async function findProject(io: Io, named: string | undefined): Promise<ProjectFolder | undefined> {
  const root = named === undefined ? nearest(io.cwd) : resolve(io.cwd, named);
  if (root === undefined) return undefined;
  const file = join(root, CONFIG_FILE);
  if (!existsSync(file)) {
    throw new SluiceError('CONFIG_INVALID', `no ${CONFIG_FILE} in ${root}`, {
      advice: 'Name the folder of a project, or make one with `sluice init DIR`.',
      facts: { folder: root },
    });
  }
  const config = parseConfig(await readFile(file, 'utf8'), CONFIG_FILE, io.env);
  return { root, lake: locationFrom(root, config.lake), config };
}

/** As `findProject`, for commands that make no sense without one. */
export async function requireProject(io: Io, named: string | undefined): Promise<ProjectFolder> {
  const project = await findProject(io, named);
  if (project !== undefined) return project;
  throw new SluiceError('CONFIG_INVALID', `no ${CONFIG_FILE} in ${io.cwd} or any folder above`, {
    advice: 'Go to a project, name one with --project DIR, or make one with `sluice init DIR`.',
    facts: { folder: io.cwd },
  });
}

/** Runs work with an engine. @param onOpen told how to clean up when the process is about to be ended by force */
export async function withEngine<T>(
  io: Io,
  project: ProjectFolder | undefined,
  work: (parts: TableParts, cleanUp: () => void) => Promise<T>,
): Promise<T> {
  const lake = project === undefined || schemeOf(project.lake) !== undefined ? undefined : project.lake;
  const spill = spillFolder(lake);
  const storage = new Storage(storageSettings(project?.config, { env: io.env, root: project?.root ?? io.cwd }));
  const engine = await Engine.open({
    tempDir: spill.path,
    ...(project === undefined
      ? {}
      : { memoryLimit: project.config.engine.memory_limit, threads: project.config.engine.threads }),
  });
  try {
    const checkpoint = project?.config.tables.checkpoint_interval;
    const parts = { engine, clock: systemClock, random: systemRandom, storage };
    return await work(checkpoint === undefined ? parts : { ...parts, checkpointInterval: checkpoint }, () => {
      spill.remove();
    });
  } finally {
    engine.close();
    spill.remove();
    await storage.close();
  }
}

/** Runs work with the tables of a project. */
export async function withTables<T>(
  io: Io,
  named: string | undefined,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const project = await requireProject(io, named);
  return withEngine(io, project, (parts, cleanUp) =>
    work({ ...project, parts, catalog: lakeCatalog(project.lake, parts), cleanUp }),
  );
}

function nearest(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, CONFIG_FILE))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
