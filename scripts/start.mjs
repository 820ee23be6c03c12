// `npm start -- ARGS` from a fresh clone: dependencies, build, then `hekate dev ARGS` in this same process, so that
// signals, terminal and exit code are the program's own.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ensureDeps } from './ensure-deps.mjs';
import { ROOT, main } from './steps.mjs';

/** npm that is killed cannot pass a signal on: what it runs would go on, with nobody to end it. */
function endWithNpm() {
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

await main(async () => {
  if (process.env.npm_lifecycle_event !== undefined) endWithNpm();
  await ensureDeps();
  await ensureBuild();
  const program = join(ROOT, 'dist', 'src', 'cli', 'main.js');
  process.argv = [process.argv[0], program, 'dev', ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});
