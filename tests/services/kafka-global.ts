/**
 * One broker for all end-to-end tests of a run: vitest starts it only when a test of that project is to run.
 * @example const { brokers } = inject('kafka');
 */
import type { TestProject } from 'vitest/node';
import { startKafka, type KafkaSasl, type KafkaTls } from './kafka.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    kafka: { readonly brokers: string[]; readonly sasl: KafkaSasl | undefined; readonly tls: KafkaTls | undefined };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kafka = await startKafka();
  project.provide('kafka', { brokers: kafka.brokers, sasl: kafka.sasl, tls: kafka.tls });
  return async () => {
    const failed = project.vitest.state.getCountOfFailedTests() > 0;
    await kafka.stop({ keepLogs: failed });
    if (failed && kafka.logFile !== undefined) process.stderr.write(`the log of the Kafka broker: ${kafka.logFile}\n`);
  };
}
