// `node scripts/run.mjs test/sim/main.ts ARGS`: builds what changed and runs that entry's compiled file in this process.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ensureDeps } from './ensure-deps.mjs';
import { ROOT, StepFailed, main } from './steps.mjs';

await main(async () => {
  const [entry = '', ...args] = process.argv.slice(2);
  if (!entry.endsWith('.ts') || !existsSync(join(ROOT, entry))) {
    throw new StepFailed(`usage: node scripts/run.mjs FILE.ts [ARGS], with a file of this project, not '${entry}'`);
  }
  await ensureDeps();
  await ensureBuild();
  const program = join(ROOT, 'dist', entry.replace(/\.ts$/, '.js'));
  process.argv = [process.argv[0], program, ...args];
  await import(pathToFileURL(program).href);
});
