/**
 * How the suites run: one project per kind of test, so that each has the patience it needs and can be run alone
 * (`npx vitest run --project unit`). Suites that need a broker start one through tests/services/kafka.ts.
 */
import { defineConfig } from 'vitest/config';

const suite = (name: string, timeoutMs: number, parallel: boolean) => ({
  extends: true as const,
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    fileParallelism: parallel,
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
      suite('unit', 30_000, true),
      suite('contract', 60_000, true),
      suite('simulation', 180_000, true),
      suite('e2e', 180_000, false),
      suite('interop', 300_000, false),
    ],
  },
});
