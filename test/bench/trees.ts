import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/shared/errors.js';
import { PROJECT_ROOT } from '../support/project.js';
import { lastWords, runChild, type Ended } from './child.js';

/** A source tree that is installed and built. */
export interface Tree {
  readonly folder: string;
  /** In words. */
  readonly name: string;
  readonly commit: string;
}

/** Why two trees cannot be compared: cause, and what to do. */
export class CannotCompare extends Error {}

export interface TreeContext {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Everything that comparisons keep: trees by commit, and what was measured. */
export const KEPT = join(PROJECT_ROOT, '.cache', 'bench');

const STAMP = '.ready-for-bench';
const BENCH = join('test', 'bench', 'main.ts');
const NEEDED = [BENCH, ...['steps', 'ensure-deps', 'ensure-build'].map((name) => join('scripts', `${name}.mjs`))];

/** With that tree's own scripts, as its `npm run bench` would. */
const INSTALL_AND_BUILD = `
const [{ main }, { ensureDeps }, { ensureBuild }] = await Promise.all(
  ['steps', 'ensure-deps', 'ensure-build'].map((name) => import(process.cwd() + '/scripts/' + name + '.mjs')),
);
await main(async () => {
  await ensureDeps();
  await ensureBuild();
});
`;

/** This tree as it is, with what is not committed. */
export async function workingTree({ signal }: TreeContext): Promise<Tree> {
  const commit = await git(['rev-parse', '--verify', 'HEAD'], signal);
  const changes = (await git(['status', '--porcelain'], signal)).split('\n').filter((line) => line !== '').length;
  const uncommitted =
    changes === 0 ? 'nothing uncommitted' : `uncommitted changes in ${changes} files, which are in it`;
  return { folder: PROJECT_ROOT, commit, name: `working tree at ${short(commit)}, ${uncommitted}` };
}

/**
 * The tree of a commit, installed and built below KEPT; one that is there is used again. A copy without .git: nothing of
 * it is left in the repository.
 */
export async function treeOf(ref: string, { signal, say }: TreeContext): Promise<Tree> {
  const commit = await commitOf(ref, signal);
  const folder = join(KEPT, commit);
  const subject = await git(['show', '--no-patch', '--format=%s', commit], signal);
  const tree = { folder, commit, name: `${short(commit)} (${subject})` };
  const stamp = `${process.version} ${process.platform} ${process.arch}\n`;
  const stampFile = join(folder, STAMP);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return tree;
  say(`preparing ${tree.name} in ${folder} …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await unpack(commit, folder, signal);
  for (const file of NEEDED) {
    if (existsSync(join(folder, file))) continue;
    rmSync(folder, { recursive: true, force: true });
    throw new CannotCompare(
      `${tree.name} cannot be measured: it has no ${file}. Compare with a later commit ('git log -- ${BENCH}')`,
    );
  }
  await takeOver(folder);
  signal.throwIfAborted();
  const args = ['--input-type=module', '--eval', INSTALL_AND_BUILD];
  const ended = await runChild(process.execPath, args, { cwd: folder, signal, onLine: (line) => say(`  ${line}`) });
  if (ended.code !== 0)
    throw failed(
      `${tree.name} does not install or build`,
      ended,
      `Look into ${folder}, or compare with another commit`,
    );
  writeFileSync(stampFile, stamp);
  return tree;
}

/** Changes whenever a tree is built again. */
export function buildOf({ folder }: Tree): string {
  const path = join(folder, 'dist', '.built-from');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export function short(commit: string): string {
  return commit.slice(0, 7);
}

async function commitOf(ref: string, signal: AbortSignal): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  const { code, stdout, stderr } = await runGit(args, signal);
  const commit = stdout.trim();
  if (code === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  const cause = stderr.trim() === '' ? 'this repository has no such commit' : stderr.trim();
  throw new CannotCompare(`--against ${ref}: ${cause}. Name a branch, a tag or a commit that 'git log --all' shows`);
}

async function unpack(commit: string, folder: string, signal: AbortSignal): Promise<void> {
  const archive = `${folder}.tar`;
  try {
    await git(['archive', '--format=tar', '--output', archive, commit], signal);
    const ended = await runChild('tar', ['-xf', archive, '-C', folder], { cwd: folder, signal });
    if (ended.code !== 0) throw failed(`tar cannot unpack ${archive}`, ended, 'Is the disk full?');
  } finally {
    rmSync(archive, { force: true });
  }
}

/** What need not be fetched again. Copied, not linked: an `npm ci` over there would empty what a link points to. */
async function takeOver(folder: string): Promise<void> {
  const lockOf = (root: string): string => readFileSync(join(root, 'package-lock.json'), 'latin1');
  if (existsSync(join(folder, 'package-lock.json')) && lockOf(folder) === lockOf(PROJECT_ROOT)) {
    const how = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE };
    await cp(join(PROJECT_ROOT, 'node_modules'), join(folder, 'node_modules'), how);
  }
  mkdirSync(join(folder, '.cache'), { recursive: true });
  // The real nodes.
  symlinkSync(join(PROJECT_ROOT, '.cache', 'bin'), join(folder, '.cache', 'bin'));
}

async function git(args: readonly string[], signal: AbortSignal): Promise<string> {
  const ended = await runGit(args, signal);
  if (ended.code !== 0)
    throw failed(`git ${args[0] ?? ''} fails`, ended, 'A comparison needs a clone of the repository');
  return ended.stdout.trim();
}

async function runGit(args: readonly string[], signal: AbortSignal): Promise<Ended> {
  try {
    return await runChild('git', args, { cwd: PROJECT_ROOT, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new CannotCompare(`git cannot be started: ${messageOf(error)}. A comparison needs git`);
  }
}

function failed(what: string, ended: Ended, whatToDo: string): CannotCompare {
  return new CannotCompare(`${what} (exit code ${ended.code ?? 'none'}). ${whatToDo}. It said:\n${lastWords(ended)}`);
}
