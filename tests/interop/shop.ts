/** The project that `sluice init` makes, smaller, run through the library: its tables are what other engines shall read. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeProject } from '../../cli/commands/init.ts';
import { systemClock } from '../../core/clock.ts';
import { systemRandom } from '../../core/random.ts';
import { Engine } from '../../engine/engine.ts';
import { loadProject } from '../../transforms/project.ts';
import type { FlowSummary } from '../../transforms/run/events.ts';
import { failureOf, runPipeline } from '../../transforms/run/run.ts';

export class Shop {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(folder: string): Promise<Shop> {
    await writeProject(folder);
    const bronze = join(folder, 'pipelines', '01_bronze.sql');
    const sql = await readFile(bronze, 'utf8');
    await writeFile(
      bronze,
      sql.replace('rows => 200000', 'rows => 5000').replace('eventsPerDay => 5000', 'eventsPerDay => 125'),
    );
    await writeFile(
      join(folder, 'pipelines', '04_shared.sql'),
      `CREATE STREAMING TABLE bronze.shared AS SELECT click_id AS id, page AS who FROM STREAM generate(dataset => 'clicks', rows => 10);
       CREATE STREAMING TABLE silver.shared AS SELECT id, who, id * 2 AS twice FROM STREAM(bronze.shared);`,
    );
    return new Shop(folder);
  }

  /** Reads and refreshes everything there is. */
  async run(): Promise<readonly FlowSummary[]> {
    const project = await loadProject(this.folder, {});
    const engine = await Engine.open({ memoryLimit: '300MB', threads: 2 });
    try {
      const { signal } = new AbortController();
      const summary = await runPipeline(project, {
        engine,
        clock: systemClock,
        random: systemRandom,
        signal,
        availableNow: true,
      });
      const failure = failureOf(summary);
      if (failure !== undefined) throw failure;
      return summary.flows;
    } finally {
      engine.close();
    }
  }

  /** The tables' folders, as `schema/table`. */
  async tables(): Promise<string[]> {
    const names: string[] = [];
    for (const schema of await readdir(join(this.folder, 'lake'))) {
      for (const table of await readdir(join(this.folder, 'lake', schema))) names.push(join(schema, table));
    }
    return names.sort();
  }
}
