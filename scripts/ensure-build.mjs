import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bakeCommit } from './bake-commit.mjs';
import { alone } from './set-up-lock.mjs';
import { ROOT, run, step } from './steps.mjs';

const STAMP = join(ROOT, 'dist', '.built-from');
const SOURCES = ['src', 'cosigner', 'sentry-link', 'test', 'proto'];
const FILES = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/copy-proto.mjs'];

/** Compiles to dist/ unless its stamp says that it was built from exactly these files. */
export async function ensureBuild() {
  if (isBuilt()) return bakeCommit();
  await alone(async () => {
    if (!isBuilt()) await build();
  });
}

function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprintOfSources();
}

async function build() {
  const fingerprint = fingerprintOfSources();
  // Options that were meant for what is started in the end, a small heap say.
  const env = { ...process.env, NODE_OPTIONS: '' };
  await step('building', async () => {
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { env });
    await run(process.execPath, ['scripts/copy-proto.mjs'], { env });
    await bakeCommit();
  });
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(STAMP, fingerprint);
}

/** Name, size and time of change of every source: it also sees files that are gone or older than the build. */
function fingerprintOfSources() {
  const hash = createHash('sha256').update(process.version);
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const file of FILES) if (existsSync(join(ROOT, file))) add(file);
  for (const folder of SOURCES) {
    const names = readdirSync(join(ROOT, folder), { recursive: true }).filter((name) =>
      /(?<!\.test)\.(ts|json|proto)$/.test(name),
    );
    for (const name of names.sort()) add(join(folder, name));
  }
  return hash.digest('hex');
}
