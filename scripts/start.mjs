// `npm start -- ARGS` from a fresh clone: dependencies, build, then `hekate dev ARGS` in this same process, so that
// signals, terminal and exit code are the program's own.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ensureDeps } from './ensure-deps.mjs';
import { ROOT, main } from './steps.mjs';

await main(async () => {
  await ensureDeps();
  await ensureBuild();
  const program = join(ROOT, 'dist', 'src', 'cli', 'main.js');
  process.argv = [process.argv[0], program, 'dev', ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});
