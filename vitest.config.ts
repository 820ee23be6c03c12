import { defineConfig } from 'vitest/config';

// The real nodes come after everything else and one after the other: a machine of two cores carries one network at a time. What all
// of them have put out is searched for secrets in the end.
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: ['test/support/record-suite.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'cosigner/**/*.test.ts', 'sentry-link/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/traces/**', 'test/chaos/short-run.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 240_000,
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/short-run.test.ts'],
          testTimeout: 240_000,
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'traces',
          include: ['test/traces/**/*.test.ts'],
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
