/** The generated shop stream: orders, customers, clicks and churn labels, seeded, without any service. */
export { GenerateSource, type GenerateParts } from './source.ts';
export { generateSchema, parseGenerateOptions, type Dataset, type GenerateOptions } from './options.ts';
