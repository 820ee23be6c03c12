// `npm pack` in a fresh clone: the tarball has what was built, and the dependencies that package-lock.json names.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild } from './ensure-build.mjs';
import { ensureDeps } from './ensure-deps.mjs';
import { ROOT, main } from './steps.mjs';

await main(async () => {
  await ensureDeps();
  // What sources that are gone left behind would be packed as well.
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  await ensureBuild();
});
