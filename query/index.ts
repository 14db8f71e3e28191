/** SQL over the tables of a lake, and its results as text: the public door of this part. */
export { lakeCatalog, type Catalog } from './catalog.ts';
export { openQueries, openQuery, openSource } from './open.ts';
export { watch } from './progress.ts';
export type { Query } from './run.ts';
export { FORMATS, writeResult, type Format } from './format/format.ts';
