/** Kafka topics as a source. */
export { KafkaSource } from './source.ts';
export { parseKafkaOptions, type KafkaOptions } from './options.ts';
