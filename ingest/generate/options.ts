/** The arguments of `generate(…)`. */
import { SluiceError } from '../../core/errors.ts';

export type Dataset = 'orders' | 'customers' | 'clicks' | 'churn';

export interface GenerateOptions {
  readonly dataset: Dataset;
  /** The topic of the records: the dataset's name, unless told. */
  readonly topic: string;
  readonly seed: number;
  readonly partitions: number;
  /** How many records there are in all; undefined: without end. */
  readonly rows: number | undefined;
  /** How many records come into being per second; undefined: as many as are asked for. */
  readonly rowsPerSecond: number | undefined;
}

export function parseGenerateOptions(args: ReadonlyMap<string, string | number | boolean>): GenerateOptions {
  throw new SluiceError('INTERNAL', [...args.keys()].join());
}

/** The schema text of a dataset, so that `generate(dataset => 'orders')` needs no `schema`. */
export function generateSchema(dataset: Dataset): string {
  return dataset;
}
