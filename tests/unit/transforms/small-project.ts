/** A project in a temporary folder, run through the library. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import { SluiceError } from '../../../core/errors.ts';
import { systemRandom } from '../../../core/random.ts';
import { Engine } from '../../../engine/engine.ts';
import type { Row } from '../../../engine/values.ts';
import { DeltaTable, type Change } from '../../../tables/index.ts';
import { checkProject, type CheckedFlow } from '../../../transforms/check.ts';
import { loadProject } from '../../../transforms/project.ts';
import type { FlowSummary, RunEvent } from '../../../transforms/run/events.ts';
import { runPipeline } from '../../../transforms/run/run.ts';

export class SmallProject {
  readonly folder: string;
  readonly engine: Engine;
  readonly events: RunEvent[] = [];

  private constructor(folder: string, engine: Engine) {
    this.folder = folder;
    this.engine = engine;
  }

  /** @param files SQL by its path below `pipelines/` */
  static async create(files: Readonly<Record<string, string>> | string): Promise<SmallProject> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-project-'));
    await writeFile(join(folder, 'sluice.yaml'), 'ingest: { max_batch_rows: 400, flush_ms: 20 }\n');
    const project = new SmallProject(folder, await Engine.open({ memoryLimit: '300MB', threads: 2 }));
    await project.write(typeof files === 'string' ? { 'a.sql': files } : files);
    return project;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, sql] of Object.entries(files)) {
      const file = join(this.folder, 'pipelines', name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, sql);
    }
  }

  async check(env: Readonly<Record<string, string>> = {}): Promise<readonly CheckedFlow[]> {
    return checkProject(await loadProject(this.folder, env), this.engine);
  }

  /** The one error that loading and checking give. */
  async refusal(env: Readonly<Record<string, string>> = {}): Promise<SluiceError> {
    try {
      await this.check(env);
    } catch (error) {
      if (error instanceof SluiceError) return error;
      throw error;
    }
    throw new Error('the project was not refused');
  }

  /** Runs everything there is; failures are in the summaries. */
  async run(): Promise<Readonly<Record<string, FlowSummary>>> {
    const { flows } = await this.#pipeline(true, new AbortController().signal);
    return Object.fromEntries(flows.map((flow) => [flow.flow, flow]));
  }

  /** Runs on until `stop`; resolves when the run has ended. */
  start(): { readonly stop: () => Promise<readonly FlowSummary[]> } {
    const abort = new AbortController();
    const running = this.#pipeline(false, abort.signal);
    return {
      stop: async () => {
        abort.abort();
        return (await running).flows;
      },
    };
  }

  table(name: string): DeltaTable {
    const parts = { engine: this.engine, clock: systemClock, random: systemRandom };
    return DeltaTable.at(join(this.folder, 'lake', ...name.split('.')), parts);
  }

  /** Runs a query in which `{schema.table}` stands for the latest version of a table. */
  async query(sql: string): Promise<Row[]> {
    const session = await this.engine.session();
    try {
      let text = sql;
      for (const [all, name = ''] of sql.matchAll(/\{([\w.]+)\}/g)) {
        text = text.replace(all, await (await this.table(name).snapshot()).relation());
      }
      return await session.rows(text);
    } finally {
      session.close();
    }
  }

  async count(name: string): Promise<bigint> {
    return (await this.table(name).snapshot()).rows ?? -1n;
  }

  async version(name: string): Promise<bigint> {
    return (await this.table(name).snapshot()).version;
  }

  /** Another writer's commit. @returns its version */
  async commit(name: string, query: string, change: Partial<Change> = {}): Promise<bigint> {
    const table = this.table(name);
    const { schema, partitionColumns } = await table.snapshot();
    const session = await this.engine.session();
    try {
      const add = await table.stage(session, query, { schema, partitionColumns });
      const result = await table.commit({ operation: 'WRITE', mode: 'append', add, ...change });
      if (result.kind === 'conflict') throw new Error(`lost: ${JSON.stringify(result.reason)}`);
      return result.version;
    } finally {
      session.close();
    }
  }

  async remove(): Promise<void> {
    this.engine.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #pipeline(availableNow: boolean, signal: AbortSignal): ReturnType<typeof runPipeline> {
    return runPipeline(await loadProject(this.folder, {}), {
      engine: this.engine,
      clock: systemClock,
      random: systemRandom,
      signal,
      availableNow,
      onEvent: (event) => this.events.push(event),
    });
  }
}
