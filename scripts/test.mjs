// `npm test` from a fresh clone: dependencies, build, checks, real nodes, then the tests. With arguments
// (`npm test -- cosigner/watermark.test.ts`) it leaves out checks and nodes and hands them on to vitest.
import { ensureBuild } from './ensure-build.mjs';
import { ensureDeps } from './ensure-deps.mjs';
import { fetchNodes } from './fetch-nodes.mjs';
import { StepFailed, main, run, say, step } from './steps.mjs';

const node = (...args) => run(process.execPath, args);
const CHECKS = [
  ['linting', () => node('node_modules/eslint/bin/eslint.js', '.')],
  ['checking the format', () => node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')],
  [
    'checking who imports whom',
    () =>
      node(
        'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
        ...['--config', '.dependency-cruiser.cjs', 'src', 'cosigner', 'sentry-link', 'test'],
      ),
  ],
  ['checking types', () => node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit')],
];

await main(async () => {
  const args = process.argv.slice(2);
  await ensureDeps();
  await ensureBuild();
  if (args.length === 0) {
    for (const [title, check] of CHECKS) await step(title, check);
    const reasons = await fetchNodes();
    for (const reason of reasons) say(reason);
    if (reasons.length > 0 && process.env.CI) throw new StepFailed('CI needs every test node');
  }
  await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], { show: true });
});
