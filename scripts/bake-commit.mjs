// Part of `npm run build`: writes into dist/ which commit it was built from, for `hekate --version`. Where there is no git,
// or it is another project's, what an earlier build said goes: nothing is said.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, StepFailed, run } from './steps.mjs';

const FILE = join(ROOT, 'dist', 'commit.json');

export async function bakeCommit() {
  const commit = await commitOfSources();
  if (commit === undefined) rmSync(FILE, { force: true });
  else writeFileSync(FILE, `${JSON.stringify(commit)}\n`);
}

async function commitOfSources() {
  const git = (...args) => run('git', ['-C', ROOT, ...args]);
  try {
    if ((await git('rev-parse', '--show-prefix')).trim() !== '') return undefined;
    const commit = (await git('rev-parse', 'HEAD')).trim();
    const changed = (await git('status', '--porcelain', '--untracked-files=no')).trim() !== '';
    return { commit, changed };
  } catch (error) {
    if (error instanceof StepFailed) return undefined;
    throw error;
  }
}

if (process.argv[1] === import.meta.filename) await bakeCommit();
