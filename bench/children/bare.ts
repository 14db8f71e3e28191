/** The yardstick: a kafkajs consumer that counts records and does nothing else, with the fetch settings of sluice's source. */
import { logLevel, Kafka } from 'kafkajs';
import { childInput, finish, peakMiB } from '../child.ts';

export interface BareInput {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly records: number;
}

export interface BareResult {
  /** From just before the consumer connects until the last record was counted. */
  readonly runMs: number;
  readonly peakMiB: number;
}

const { brokers, topic, records } = childInput() as BareInput;
const startMs = performance.now();
const kafka = new Kafka({ clientId: 'sluice-bench-bare', brokers: [...brokers], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `sluice-bench-bare-${String(process.pid)}` });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
let seen = 0;
await new Promise<void>((resolve, reject) => {
  consumer
    .run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        seen += batch.messages.length;
        if (seen >= records) resolve();
        return Promise.resolve();
      },
    })
    .catch(reject);
});
finish({ runMs: performance.now() - startMs, peakMiB: peakMiB() } satisfies BareResult);
