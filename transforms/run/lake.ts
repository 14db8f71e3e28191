/** The tables of a project by name: one `DeltaTable` for each, shared by all flows so that snapshots are read once, and kept tidy. */
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { Engine } from '../../engine/engine.ts';
import { DeltaTable, locationBelow } from '../../tables/index.ts';
import type { Project } from '../project.ts';
import type { RunEvent } from './events.ts';

export class Lake {
  readonly #project: Project;
  readonly #parts: { engine: Engine; clock: Clock; random: Random };
  readonly #onEvent: (event: RunEvent) => void;
  readonly #tables = new Map<string, DeltaTable>();

  constructor(
    project: Project,
    parts: { engine: Engine; clock: Clock; random: Random },
    onEvent: (event: RunEvent) => void,
  ) {
    this.#project = project;
    this.#parts = parts;
    this.#onEvent = onEvent;
  }

  /** The table `schema.table`, whether it exists yet or not. */
  table(name: string): DeltaTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const { checkpoint_interval: checkpointInterval, auto_compact: autoCompact = true } = this.#project.config.tables;
    const table = DeltaTable.at(locationBelow(this.#project.lake, ...name.split('.')), {
      ...this.#parts,
      storage: this.#project.storage,
      checkpointInterval,
      autoCompact,
      onCompaction: (done) => {
        this.#onEvent(
          'error' in done
            ? { kind: 'compaction_failed', table: name, error: done.error }
            : { ...done, kind: 'table_compacted', table: name },
        );
      },
    });
    this.#tables.set(name, table);
    return table;
  }

  /** Waits for what goes on in the background; ends it when the run is to stop. */
  async settle(stop: boolean): Promise<void> {
    await Promise.all([...this.#tables.values()].map((table) => table.settle({ stop })));
  }

  /** The table that holds what could not be read into `name`. */
  quarantineOf(name: string): DeltaTable {
    return this.table(`${name}_quarantine`);
  }
}
