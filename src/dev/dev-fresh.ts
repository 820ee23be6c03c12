import { existsSync } from 'node:fs';
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toBase64 } from '../shared/bytes.js';
import { FIXES } from '../shared/error-codes.js';
import { HekateError, isHekateError } from '../shared/errors.js';
import { loadGroupFile } from '../shared/home/group-file.js';
import { groupFile } from '../shared/home/paths.js';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { LOCK_FILE, lockHome } from '../shared/process/home-lock.js';
import { readStatus } from '../shared/status/ask-process.js';
import { STATUS_SOCKET } from '../shared/status/socket-path.js';
import { HOME_NAMES, layoutOf, PLAN_FILE, type Layout } from './dev-cluster.js';
import { readPlan, type DevPlan } from './dev-plan.js';

const NAMED = 3;

/**
 * Removes the local cluster of a chain, if there is one: exactly the files and folders that `hekate dev` makes, one by one,
 * and only if nothing else is there, no process runs, and the key was made here. Otherwise throws DEV_FRESH_REFUSED, with
 * nothing touched.
 */
export async function removeDevHome(dir: string, chainId: string): Promise<void> {
  const names = await entriesOf(dir);
  if (names.length === 0) return;
  const plan = await readPlan(dir, chainId);
  if ('problem' in plan) throw refused(`${dir} holds ${listed(names)}, but ${plan.problem}`, FIXES.DEV_FOREIGN);
  checkKeyIsOurs(dir, plan);
  const layout = layoutOf(chainId);
  const strangers = await strangersIn(dir, layout);
  if (strangers.length > 0) throw refused(`${dir} holds ${listed(strangers)}, which \`hekate dev\` did not make`);
  await checkKeyIsTheSame(dir, plan);
  const unlock = await lockAll(dir);
  try {
    await remove(dir, layout);
  } finally {
    unlock();
  }
}

/** `cosigner-1, cosigner-2, cosigner-3 and 4 more`. */
export function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return [...names].sort().slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** None when nothing is there. A symlink may lead anywhere, so it is not followed. */
async function entriesOf(dir: string): Promise<readonly string[]> {
  const stats = await lstat(dir).catch((error: unknown) => {
    if (diskErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) throw refused(`${dir} is ${stats.isSymbolicLink() ? 'a symlink' : 'not a folder'}`);
  return readdir(dir);
}

function checkKeyIsOurs(dir: string, { keyGiven }: DevPlan): void {
  if (keyGiven === false) return;
  const why =
    keyGiven === true ? 'a key that it was given' : 'a key that it may have been given: its dev.json is older';
  throw refused(`${dir} holds shares and watermarks of ${why}`);
}

async function checkKeyIsTheSame(dir: string, plan: DevPlan): Promise<void> {
  const path = await groupOfAnotherKey(dir, plan);
  if (path !== undefined) throw refused(`${path} is not that of the key that \`hekate dev\` made`);
}

/** A home that was exchanged for another one with the same name holds another key: its group.json, or one that cannot be read. */
export async function groupOfAnotherKey(dir: string, { chainId, publicKey }: DevPlan): Promise<string | undefined> {
  for (const home of HOME_NAMES) {
    const path = groupFile(join(dir, home), chainId);
    if (!existsSync(path)) continue;
    const group = await loadGroupFile(path, chainId).catch((error: unknown) => {
      if (isHekateError(error)) return undefined;
      throw error;
    });
    if (group === undefined || toBase64(group.groupPublicKey) !== publicKey) return path;
  }
  return undefined;
}

/** What is in the folder and not in the layout, not looked into. */
async function strangersIn(dir: string, layout: Layout, below = ''): Promise<string[]> {
  const strangers: string[] = [];
  for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory() && layout.folders.has(path)) strangers.push(...(await strangersIn(dir, layout, path)));
    else if (!(entry.isFile() || entry.isSocket()) || !layout.files.has(path)) strangers.push(path);
  }
  return strangers;
}

/** Holds the lock of every home that has one, so that no process starts meanwhile. */
async function lockAll(dir: string): Promise<() => void> {
  const unlocks: (() => void)[] = [];
  const unlock = (): void => unlocks.forEach((one) => one());
  try {
    for (const home of [dir, ...HOME_NAMES.map((name) => join(dir, name))]) {
      if (existsSync(join(home, LOCK_FILE))) unlocks.push(lockOrRefuse(home));
      if (existsSync(join(home, STATUS_SOCKET)) && (await answers(home))) throw running(home);
    }
  } catch (error) {
    unlock();
    throw error;
  }
  return unlock;
}

function lockOrRefuse(home: string): () => void {
  try {
    return lockHome(home);
  } catch (error) {
    throw isHekateError(error) && error.code === 'HOME_LOCKED' ? running(home) : error;
  }
}

function answers(home: string): Promise<boolean> {
  return readStatus(home).then(
    () => true,
    () => false,
  );
}

/** The plan goes last: a removal that was cut short can be begun again. */
async function remove(dir: string, { files, folders }: Layout): Promise<void> {
  for (const file of files) if (file !== PLAN_FILE) await rm(join(dir, file), { force: true });
  for (const folder of [...folders].sort().reverse()) await removeFolder(join(dir, folder));
  await rm(join(dir, PLAN_FILE), { force: true });
  await removeFolder(dir);
}

/** Fails when anything is in it. */
async function removeFolder(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (diskErrorCode(error) !== 'ENOENT') throw error;
  });
}

function refused(problem: string, fix: string = FIXES.DEV_FRESH_REFUSED): HekateError {
  return new HekateError('DEV_FRESH_REFUSED', problem, { fix });
}

function running(home: string): HekateError {
  return refused(`a process runs with ${home}`, 'stop it first');
}
