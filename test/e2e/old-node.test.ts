import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';
import { HEKATE_MAIN, PROJECT_ROOT } from '../support/project.js';

const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
  bin: { hekate: string };
  scripts: { start: string };
};

/** Path of a Node of that major version; without one the test is skipped, in CI it fails. */
async function oldNode(context: TestContext, major: number): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, ['scripts/fetch-nodes.mjs', `--node${major}`], {
      cwd: PROJECT_ROOT,
    });
    return stdout.trim();
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return context.skip(`Node ${major} cannot be had: ${String(error)}`);
  }
}

// The oldest that has an `import`, and the newest that is too old.
describe.each([12, 18])('on Node %i', (major) => {
  it.for([
    ['the command', [manifest.bin.hekate, 'cosigner', 'start', '--home', '/nowhere']],
    ['its compiled file', [HEKATE_MAIN, '--version']],
    ['npm start', manifest.scripts.start.split(' ').slice(2)],
  ] as const)('%s says in one line what is needed', async ([, args], context) => {
    const node = await oldNode(context, major);
    const error = (await run(node, [...args], { cwd: PROJECT_ROOT }).catch((reason: unknown) => reason)) as {
      code: number;
      stdout: string;
      stderr: string;
    };
    expect([error.code, error.stdout]).toEqual([2, '']);
    expect(error.stderr).toMatch(
      /^NODE_TOO_OLD: hekate needs Node\.js 20\.19\.0 or newer, and this is v\d+\.[^\n]*\. Fix: [^\n]*\n$/,
    );
    expect(error.stderr).toContain(`v${major}.`);
  });
});
