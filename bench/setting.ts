/** What the benches share while they run. */
import type { SparkPeer } from './peers/spark.ts';

export interface Setting {
  readonly brokers: readonly string[];
  /** A folder for tables and projects, removed at the end. */
  readonly folder: string;
  /** Undefined with `--no-spark`. */
  readonly spark: SparkPeer | undefined;
}
