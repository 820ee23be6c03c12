/** The import rule: processes and tools use src/shared, never the other way, and never each other. */
module.exports = {
  forbidden: [
    {
      name: 'shared-imports-only-shared',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(cosigner|sentry-link|src/setup|src/cli|src/dev)/' },
    },
    {
      name: 'setup-imports-only-shared',
      comment: 'what commands do; no process is one of its parts',
      severity: 'error',
      from: { path: '^src/setup/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(cosigner|sentry-link|src/cli|src/dev)/' },
    },
    {
      name: 'cosigner-never-sentry-link',
      severity: 'error',
      from: { path: '^cosigner/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(sentry-link|src/setup|src/cli|src/dev|test)/' },
    },
    {
      name: 'sentry-link-never-cosigner',
      severity: 'error',
      from: { path: '^sentry-link/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(cosigner|src/setup|src/cli|src/dev|test)/' },
    },
    {
      name: 'dev-never-a-process',
      comment: 'the local cluster starts real processes; it does not import them',
      severity: 'error',
      from: { path: '^src/dev/' },
      to: { path: '^(cosigner|sentry-link|src/cli)/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(src|cosigner|sentry-link)/', pathNot: '[.]test[.]ts$' },
      to: { path: '^test/|[.]test[.]ts$|/testdata/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
