/**
 * How the suites run: one project per kind of test, so that each has the patience it needs and can be run alone
 * (`npx vitest run --project unit`). The quick ones share the cores; those that start services come after them, one file
 * at a time, so that nothing else is measured or killed by accident; at last those that ask other engines, which share one Spark.
 */
import { defineConfig } from 'vitest/config';

const suite = (name: string, order: number, timeoutMs: number, parallel: boolean, globalSetup: string[] = []) => ({
  extends: true as const,
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    fileParallelism: parallel,
    sequence: { groupOrder: order },
    globalSetup,
  },
});

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    allowOnly: false,
    passWithNoTests: false,
    env: { TZ: 'UTC' },
    projects: [
      suite('unit', 0, 30_000, true),
      suite('contract', 0, 60_000, true),
      suite('simulation', 0, 180_000, true),
      suite('e2e', 1, 180_000, false, ['tests/services/kafka-global.ts']),
      suite('interop', 2, 300_000, true, ['tests/interop/spark-global.ts']),
    ],
  },
});
