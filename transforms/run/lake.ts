/** The tables of a project by name: one `DeltaTable` for each, shared by all flows so that snapshots are read once. */
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { Engine } from '../../engine/engine.ts';
import { DeltaTable, locationBelow } from '../../tables/index.ts';
import type { Project } from '../project.ts';

export class Lake {
  readonly #project: Project;
  readonly #parts: { engine: Engine; clock: Clock; random: Random };
  readonly #tables = new Map<string, DeltaTable>();

  constructor(project: Project, parts: { engine: Engine; clock: Clock; random: Random }) {
    this.#project = project;
    this.#parts = parts;
  }

  /** The table `schema.table`, whether it exists yet or not. */
  table(name: string): DeltaTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = DeltaTable.at(locationBelow(this.#project.lake, ...name.split('.')), {
      ...this.#parts,
      storage: this.#project.storage,
      checkpointInterval: this.#project.config.tables.checkpoint_interval,
    });
    this.#tables.set(name, table);
    return table;
  }

  /** The table that holds what could not be read into `name`. */
  quarantineOf(name: string): DeltaTable {
    return this.table(`${name}_quarantine`);
  }
}
