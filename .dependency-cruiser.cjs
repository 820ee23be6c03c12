/** Tests and measurements may look at everything. */
const TEST = '[.]test[.]ts$|/testdata/|^test/';

/** A rule that only `from` may import `to`, tests apart. */
const only = (name, to, from, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: `${from}|${TEST}` },
  to: { path: to },
});

/** Who may import whom (docs/architecture.md), and what docs/audit.md relies on; test/docs/import-rules.test.ts proves each. */
module.exports = {
  forbidden: [
    // Processes and tools use src/shared, never the other way, and never each other.
    {
      name: 'shared-imports-only-shared',
      severity: 'error',
      from: { path: '^src/shared/', pathNot: TEST },
      to: { path: '^(cosigner|sentry-link|src/setup|src/cli|src/dev)/' },
    },
    {
      name: 'setup-imports-only-shared',
      comment: 'what commands do; no process is one of its parts',
      severity: 'error',
      from: { path: '^src/setup/', pathNot: TEST },
      to: { path: '^(cosigner|sentry-link|src/cli|src/dev)/' },
    },
    {
      name: 'cosigner-never-sentry-link',
      severity: 'error',
      from: { path: '^cosigner/', pathNot: TEST },
      to: { path: '^(sentry-link|src/setup|src/cli|src/dev)/' },
    },
    {
      name: 'sentry-link-never-cosigner',
      severity: 'error',
      from: { path: '^sentry-link/', pathNot: TEST },
      to: { path: '^(cosigner|src/setup|src/cli|src/dev)/' },
    },
    {
      name: 'dev-never-a-process',
      comment: 'the local cluster starts real processes; it does not import them',
      severity: 'error',
      from: { path: '^src/dev/', pathNot: TEST },
      to: { path: '^(cosigner|sentry-link|src/cli)/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(src|cosigner|sentry-link)/', pathNot: TEST },
      to: { path: TEST },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },

    // The safety path: one way to a share, one way to the disk.
    only(
      'share-from-request-shares',
      '^src/shared/frost/sign[.]ts$',
      '^cosigner/signing/request-shares[.]ts$',
      'signShare uses a secret share',
    ),
    only(
      'request-shares-from-chain-signer',
      '^cosigner/signing/request-shares[.]ts$',
      '^cosigner/signing/chain-signer[.]ts$',
      'shares are made between the durable write and the release, nowhere else',
    ),
    only(
      'nonces-from-signing',
      '^cosigner/signing/nonce-pool[.]ts$',
      '^cosigner/(signing/|assembly[.]ts$)',
      'a session sees counts and commitments (nonce-supply.ts), never a secret nonce',
    ),
    only(
      'signer-from-assembly',
      '^cosigner/signing/chain-signer[.]ts$',
      '^cosigner/(assembly|cosigner|links/link-session)[.]ts$',
      'who holds a signer can ask for shares',
    ),
    only(
      'store-from-assembly',
      '^src/shared/watermark/store[.]ts$',
      '^(cosigner/assembly[.]ts$|src/setup/)',
      'the durable watermark is opened where a cosigner is put together, and by commands while none runs',
    ),
    only(
      'disk-from-assemblies',
      '^src/shared/ports/node-disk[.]ts$',
      '^((cosigner|sentry-link)/(assembly|main)[.]ts$|src/setup/|src/cli/)',
      'the real disk is handed in, so that the simulator can hand in another',
    ),
    only(
      'disk-port-from-watermark',
      '^src/shared/ports/disk[.]ts$',
      '^(src/shared/(watermark|ports)/|src/setup/|cosigner/assembly[.]ts$)',
      'who holds a disk can open a state file',
    ),
    only(
      'slot-file-from-watermark',
      '^src/shared/ports/slot-file[.]ts$',
      '^(src/shared/(watermark/|ports/(disk|node-disk)[.]ts$)|src/setup/)',
      'who holds a slot file can write to a state',
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
