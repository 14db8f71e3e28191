/** SQL over the tables of a lake, and its results as text: the public door of this part. */
export { lakeCatalog, type Catalog } from './catalog.ts';
export { openQueries, openQuery } from './open.ts';
export type { Query, QueryParts } from './run.ts';
export { FORMATS, writeResult, type Format } from './format/format.ts';
export type { TableOptions } from './format/table.ts';
export type { Write } from './format/write.ts';
