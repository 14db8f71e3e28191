/** A project over one Kafka topic, run as users run it: the built command line in a process of its own, which tests may kill. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../core/clock.ts';
import { systemRandom } from '../../../core/random.ts';
import { Engine } from '../../../engine/engine.ts';
import type { Row } from '../../../engine/values.ts';
import { DeltaTable } from '../../../tables/index.ts';
import { REPO } from '../../services/cache.ts';

export interface ProjectOptions {
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  /** A shared consumer group; each run has one of its own without it. */
  readonly groupId?: string;
}

export class PipelineProject {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create({ brokers, topics, groupId }: ProjectOptions): Promise<PipelineProject> {
    const project = new PipelineProject(await mkdtemp(join(tmpdir(), 'sluice-pipeline-')));
    await mkdir(join(project.folder, 'pipelines'));
    await writeFile(join(project.folder, 'sluice.yaml'), 'name: chaos\n');
    const group = groupId === undefined ? '' : `, groupId => '${groupId}'`;
    await writeFile(
      join(project.folder, 'pipelines', 'orders.sql'),
      `CREATE OR REFRESH STREAMING TABLE bronze.orders AS
       SELECT *, _metadata.topic AS topic, _metadata."partition" AS "partition", _metadata."offset" AS "offset"
       FROM STREAM read_kafka(bootstrapServers => '${brokers.join(',')}', subscribe => '${topics.join(',')}'${group},
         valueFormat => 'json', schema => 'order_id BIGINT, customer STRING, amount DECIMAL(10,2), ts TIMESTAMP');
       CREATE OR REFRESH STREAMING TABLE silver.orders (CONSTRAINT positive EXPECT (amount > 0) ON VIOLATION DROP ROW)
       AS SELECT * FROM STREAM(bronze.orders);
       CREATE OR REFRESH MATERIALIZED VIEW gold.totals AS SELECT count(*) AS n, sum(amount) AS amount FROM silver.orders;`,
    );
    return project;
  }

  /** Starts `sluice run` with these arguments; what it says is kept for messages. */
  start(...args: string[]): Run {
    const child = spawn(
      process.execPath,
      [join(REPO, 'dist', 'cli', 'main.js'), '--project', this.folder, 'run', ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return new Run(child);
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    while (this.#children.size > 0) await sleep(20);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Queries tables of the lake, each named `{schema.table}` in the SQL. */
  async query(sql: string): Promise<Row[]> {
    const engine = await Engine.open({ memoryLimit: '500MB', threads: 2 });
    const session = await engine.session();
    try {
      let text = sql;
      for (const [, name = ''] of sql.matchAll(/\{([\w.]+)\}/g)) {
        const table = DeltaTable.at(join(this.folder, 'lake', ...name.split('.')), {
          engine,
          clock: systemClock,
          random: systemRandom,
        });
        text = text.replaceAll(`{${name}}`, await (await table.snapshot()).relation());
      }
      return await session.rows(text);
    } finally {
      session.close();
      engine.close();
    }
  }
}

/** One life of a worker. */
export class Run {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #said = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code]) => code as number | null);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#said = (this.#said + bytes.toString()).slice(-8000);
      });
    }
  }

  get said(): string {
    return this.#said;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves once it runs its flows: before that, a signal ends it as it ends any process. */
  async started(): Promise<void> {
    while (!this.ended && !this.#said.includes(': started')) await sleep(20);
  }

  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): void {
    this.#child.kill(name);
  }

  /** The exit code, null when it was killed. */
  exited(): Promise<number | null> {
    return this.#exit;
  }
}
