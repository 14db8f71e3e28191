/** The generated shop stream: customers, clicks, orders and churn labels, seeded, without any service. */
export { GenerateSource } from './source.ts';
export { generateSchema } from './datasets.ts';
export { parseGenerateOptions, type GenerateOptions } from './options.ts';
