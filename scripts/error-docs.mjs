// Writes docs/errors.md from src/shared/error-codes.ts, so that the two cannot differ; a test compares them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ROOT } from './steps.mjs';

await ensureBuild();
const built = (...path) => import(pathToFileURL(join(ROOT, 'dist', 'src', ...path)).href);
const [{ errorTable }, { EXIT_CODES }] = await Promise.all([
  built('setup', 'error-docs.js'),
  built('cli', 'exit-codes.js'),
]);
writeFileSync(join(ROOT, 'docs', 'errors.md'), errorTable(EXIT_CODES));
