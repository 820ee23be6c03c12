// Writes docs/errors.md from src/shared/error-codes.ts, so that the two cannot differ; a test compares them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ROOT } from './steps.mjs';

await ensureBuild();
const { errorTable } = await import(pathToFileURL(join(ROOT, 'dist', 'src', 'setup', 'error-docs.js')).href);
writeFileSync(join(ROOT, 'docs', 'errors.md'), errorTable());
