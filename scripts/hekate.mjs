// `./hekate ARGS` from a fresh clone: dependencies, build, then the command in this same process, so that signals, terminal
// and exit code are the program's own. The folder that it runs in stays the caller's.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ensureDeps } from './ensure-deps.mjs';
import { ROOT, main } from './steps.mjs';

await main(async () => {
  await ensureDeps();
  await ensureBuild();
  const program = join(ROOT, 'dist', 'src', 'cli', 'main.js');
  process.argv = [process.argv[0], program, ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});
