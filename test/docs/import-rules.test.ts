import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const FOLDERS = ['src', 'cosigner', 'sentry-link', 'test'];
const FILES = ['.dependency-cruiser.cjs', 'tsconfig.json'];

/** A file that is planted, what it imports, and the rule that must say no. */
const PLANTED: readonly [rule: string, planted: string, imports: string][] = [
  ['shared-imports-only-shared', 'src/shared/planted.ts', 'src/setup/durable-files.ts'],
  ['setup-imports-only-shared', 'src/setup/planted.ts', 'sentry-link/vote-to-sign.ts'],
  ['cosigner-never-sentry-link', 'cosigner/planted.ts', 'src/setup/find-homes.ts'],
  ['sentry-link-never-cosigner', 'sentry-link/planted.ts', 'cosigner/lease-table.ts'],
  ['dev-never-a-process', 'src/dev/planted.ts', 'sentry-link/sentry-link.ts'],
  ['nothing-imports-tests', 'cosigner/links/planted.ts', 'test/support/eventually.ts'],
  ['nothing-imports-tests', 'src/shared/privval/planted.ts', 'src/shared/privval/testdata/arbitraries.ts'],
  ['no-circular', 'src/cli/planted.ts', 'src/cli/planted.ts'],
  ['share-from-request-shares', 'cosigner/links/sneaky.ts', 'src/shared/frost/sign.ts'],
  ['share-from-request-shares', 'cosigner/signing/planted.ts', 'src/shared/frost/sign.ts'],
  ['request-shares-from-chain-signer', 'cosigner/sneaky.ts', 'cosigner/signing/request-shares.ts'],
  ['share-parts-from-frost', 'cosigner/links/crafty.ts', 'src/shared/frost/challenge.ts'],
  ['share-file-from-main', 'cosigner/links/reader.ts', 'src/shared/home/share-file.ts'],
  ['nonces-from-signer', 'cosigner/links/nosy.ts', 'cosigner/signing/nonce-pool.ts'],
  ['nonces-from-signer', 'cosigner/signing/nosy.ts', 'cosigner/signing/nonce-pool.ts'],
  ['signer-from-assembly', 'cosigner/links/handy.ts', 'cosigner/signing/chain-signer.ts'],
  ['cosigner-from-assembly', 'cosigner/links/asking.ts', 'cosigner/cosigner.ts'],
  ['assembly-from-main', 'cosigner/links/forgetful.ts', 'cosigner/assembly.ts'],
  ['main-from-command', 'src/cli/other.ts', 'cosigner/main.ts'],
  ['store-from-assembly', 'src/setup/hasty.ts', 'src/shared/watermark/store.ts'],
  ['disk-from-main', 'src/shared/watermark/hasty.ts', 'src/shared/ports/node-disk.ts'],
  ['disk-from-main', 'src/cli/hasty.ts', 'src/shared/ports/node-disk.ts'],
  ['disk-port-from-watermark', 'cosigner/signing/handy.ts', 'src/shared/ports/disk.ts'],
  ['slot-file-from-store', 'src/setup/handy.ts', 'src/shared/ports/slot-file.ts'],
  ['watermark-port-from-signing', 'cosigner/waiting/hasty.ts', 'cosigner/signing/watermark-port.ts'],
  ['life-from-assembly', 'src/setup/hasty-life.ts', 'src/shared/watermark/life.ts'],
  ['no-files-in-processes', 'cosigner/writer.ts', 'node:fs/promises'],
];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

let folder: string;
let found: readonly Violation[];

function specifier(planted: string, imports: string): string {
  if (imports.startsWith('node:')) return imports;
  const path = relative(dirname(planted), imports).replace(/\.ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}

/** The project as it is, with all of the planted files in it, looked at once. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hekate-imports-'));
  for (const name of [...FOLDERS, ...FILES]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [, planted, imports] of PLANTED) {
    writeFileSync(
      join(folder, planted),
      `import * as all from '${specifier(planted, imports)}';\nexport const planted = all;\n`,
    );
  }
  const bin = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
    ...PLANTED.map(([, planted]) => planted),
  ];
  const json = execFileSync(process.execPath, [bin, ...args], { cwd: folder, maxBuffer: 1 << 28, encoding: 'utf8' });
  found = (JSON.parse(json) as { summary: { violations: readonly Violation[] } }).summary.violations;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(PLANTED)('%s: %s must not import %s', (rule, planted) => {
  expect(found.filter(({ from }) => from === planted).map((one) => one.rule.name)).toEqual([rule]);
});

it('every rule has a planted import', () => {
  const rules = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as {
    readonly forbidden: readonly { readonly name: string }[];
  };
  expect(new Set(PLANTED.map(([rule]) => rule))).toEqual(new Set(rules.forbidden.map(({ name }) => name)));
});

it('nothing but what was planted breaks a rule', () => {
  const planted = new Set(PLANTED.map(([, path]) => path));
  expect(found.filter(({ from }) => !planted.has(from))).toEqual([]);
});

const SAFETY_RULES = new Set(
  PLANTED.map(([rule]) => rule).slice(PLANTED.findIndex(([rule]) => rule.startsWith('share-'))),
);

it.each([...SAFETY_RULES])('docs/audit.md relies on %s and says so', (rule) => {
  expect(readFileSync(join(ROOT, 'docs/audit.md'), 'utf8')).toContain(`\`${rule}\``);
});
