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
      'share-parts-from-frost',
      '^src/shared/frost/(binding|challenge|interpolate)[.]ts$',
      '^(src/shared/frost/|src/setup/keys/dealing[.]ts$)',
      'a share can be put together from its parts: who signs takes signShare',
    ),
    only(
      'share-file-from-main',
      '^src/shared/home/share-file[.]ts$',
      '^(cosigner/main|src/setup/keys/verify-folders)[.]ts$',
      'secret shares are read where a cosigner starts, and by `keys verify`',
    ),
    only(
      'nonces-from-signer',
      '^cosigner/signing/nonce-pool[.]ts$',
      '^cosigner/(signing/(chain-signer|request-shares)|assembly)[.]ts$',
      'a session sees counts and commitments (nonce-supply.ts), never a secret nonce',
    ),
    only(
      'signer-from-assembly',
      '^cosigner/signing/chain-signer[.]ts$',
      '^cosigner/(assembly|cosigner|links/link-session)[.]ts$',
      'who holds a signer can ask for shares',
    ),
    only(
      'cosigner-from-assembly',
      '^cosigner/cosigner[.]ts$',
      '^cosigner/(assembly|cosigner-status)[.]ts$',
      'who makes a cosigner chooses its signers',
    ),
    only(
      'assembly-from-main',
      '^cosigner/assembly[.]ts$',
      '^cosigner/main[.]ts$',
      'who assembles can leave out the watermark',
    ),
    only(
      'main-from-command',
      '^(cosigner|sentry-link)/main[.]ts$',
      '^src/cli/(cosigner|sentry-link)[.]ts$',
      'one command starts each process',
    ),
    only(
      'store-from-assembly',
      '^src/shared/watermark/store[.]ts$',
      '^(cosigner/assembly|src/setup/state-init)[.]ts$',
      'the durable watermark is opened where a cosigner is put together, and by `state init` while none runs',
    ),
    only(
      'disk-from-main',
      '^src/shared/ports/node-disk[.]ts$',
      '^(cosigner/main|src/cli/(init|migrate-run|state-(export|import|init|recover|show)))[.]ts$',
      'the real disk is handed in, so that the simulator can hand in another',
    ),
    only(
      'disk-port-from-watermark',
      '^src/shared/ports/disk[.]ts$',
      '^(src/shared/watermark/(store|state-mark)|src/shared/ports/node-disk|src/setup/(init/cluster-files|state-init|state-report)|cosigner/assembly)[.]ts$',
      'who holds a disk can open a state file',
    ),
    only(
      'slot-file-from-store',
      '^src/shared/ports/slot-file[.]ts$',
      '^src/shared/(watermark/store|ports/(disk|node-disk))[.]ts$',
      'who holds a slot file can write to a state',
    ),
    only(
      'watermark-port-from-signing',
      '^cosigner/signing/watermark-port[.]ts$',
      '^cosigner/(signing/|assembly[.]ts$)',
      'who holds the watermark of a chain can write it, and end its wait',
    ),
    only(
      'life-from-assembly',
      '^src/shared/watermark/life[.]ts$',
      '^(cosigner/assembly|src/shared/watermark/store)[.]ts$',
      'who begins a life says whether a start waits',
    ),
    {
      name: 'no-files-in-processes',
      comment: 'a process reaches the disk by its port; node-connect.ts looks at the kind of a socket file',
      severity: 'error',
      from: { path: '^(cosigner|sentry-link)/', pathNot: `^sentry-link/node/node-connect[.]ts$|${TEST}` },
      to: { dependencyTypes: ['core'], path: '^(node:)?(fs|child_process|worker_threads)' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
