import { promises as fsp } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { HekateError } from '../../shared/errors.js';
import { diskErrorCode } from '../../shared/ports/disk-error.js';
import { createFile, syncFolder } from '../../shared/ports/durable-file.js';
import { giveToFolderOwner } from '../../shared/ports/folder-owner.js';
import { MODE_PRIVATE } from '../../shared/ports/file-mode.js';
import { exists, isAlive, makeFolder, replaceFile, syncTree } from '../durable-files.js';

const STAGING_FOLDER = '.init-staging';
const FILES = 'files';
const JOURNAL = 'journal.json';
const PID = 'pid';
const PROCESS_ID = /^[1-9]\d{0,9}$/;

/** What turns staged files into a cluster with one more chain; every step can be done again. */
export interface Journal {
  readonly chainId: string;
  /** Paths to move, the same in the staging folder and in the cluster. */
  readonly moves: readonly string[];
  /** Text to add at the end of files, unless it is in them already. */
  readonly appends: readonly { readonly file: string; readonly text: string }[];
}

/** How init left the folder the last time it was killed, if it was. */
export type Recovery = { readonly finished: string } | { readonly discarded: true } | undefined;

/** Fills a folder that does not exist yet: everything under a temporary name beside it, then one rename. Throws INIT_RUNNING. */
export async function createWhole(dir: string, write: (root: string) => Promise<void>): Promise<void> {
  const parent = dirname(dir);
  const madeParent = await fsp.mkdir(parent, { recursive: true });
  await removeAbandoned(parent, basename(dir));
  const root = join(parent, `.${basename(dir)}.init-${process.pid}`);
  let madeRoot = false;
  try {
    await fsp.mkdir(root, { mode: 0o700 });
    madeRoot = true;
    await write(root);
    await syncTree(root);
    await fsp.rename(root, dir).catch((error: unknown) => throwIfThere(error, dir));
  } catch (error) {
    if (madeRoot) await fsp.rm(root, { recursive: true, force: true });
    if (madeParent !== undefined) await removeEmpty(resolve(parent), resolve(madeParent));
    throw error;
  }
  await syncFolder(parent);
}

/** Two that start at once find nothing there, both of them. What the other one makes stays as it is. */
function throwIfThere(error: unknown, dir: string): never {
  const code = diskErrorCode(error);
  if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  throw new HekateError('INIT_RUNNING', `somebody else writes into ${dir} at the same time`, {
    fix: 'wait until it is done, and look at what is there; nothing was changed',
    cause: error,
  });
}

/** Takes folders away again, from the innermost out. One that somebody else uses by now stays, and those around it. */
async function removeEmpty(innermost: string, outermost: string): Promise<void> {
  try {
    for (let at = innermost; ; at = dirname(at)) {
      await fsp.rmdir(at);
      if (at === outermost) return;
    }
  } catch {
    // Not empty.
  }
}

/** Shares of an init that was killed before it was done: nobody ever saw its key, so nothing is lost. */
async function removeAbandoned(parent: string, name: string): Promise<void> {
  const prefix = `.${name}.init-`;
  for (const entry of await fsp.readdir(parent)) {
    const pid = entry.startsWith(prefix) ? entry.slice(prefix.length) : '';
    if (PROCESS_ID.test(pid) && !isAlive(Number(pid)))
      await fsp.rm(join(parent, entry), { recursive: true, force: true });
  }
}

/**
 * Adds to a folder that exists: files are staged inside it, then a journal makes it certain that they get to their places,
 * by this call, or by `recover` in the next one if this one is killed. A step that fails is undone with those before it.
 * Throws INIT_RUNNING.
 */
export async function addWhole(dir: string, write: (root: string) => Promise<void>, journal: Journal): Promise<void> {
  const staging = join(dir, STAGING_FOLDER);
  await fsp.mkdir(staging, { mode: 0o700 }).catch((error: unknown) => throwIfThere(error, dir));
  giveToFolderOwner(staging);
  try {
    await createFile(join(staging, PID), String(process.pid), MODE_PRIVATE);
    await makeFolder(join(staging, FILES));
    await write(join(staging, FILES));
    await syncTree(staging);
    await createFile(join(staging, JOURNAL), JSON.stringify(journal), MODE_PRIVATE);
    await syncFolder(staging);
    await syncFolder(dir);
    await apply(dir, journal);
  } catch (error) {
    await discard(staging);
    throw error;
  }
  await discard(staging);
}

/** Finishes or clears away what an init that was killed left in the folder. Throws INIT_RUNNING when it is not dead. */
export async function recover(dir: string): Promise<Recovery> {
  const staging = join(dir, STAGING_FOLDER);
  if (!(await exists(staging))) return undefined;
  const pid = Number(await fsp.readFile(join(staging, PID), 'utf8').catch(() => 'none'));
  if (!Number.isInteger(pid) || (pid !== process.pid && isAlive(pid)))
    throw new HekateError('INIT_RUNNING', `another init works on ${dir}`, {
      fix: `wait until it is done; if none is running, remove ${staging}`,
    });
  const text = await fsp.readFile(join(staging, JOURNAL), 'utf8').catch(() => undefined);
  const journal = text === undefined ? undefined : parseJournal(text);
  if (journal !== undefined) await apply(dir, journal);
  await discard(staging);
  return journal === undefined ? { discarded: true } : { finished: journal.chainId };
}

/** The journal is created and synced before anything moves, so one that cannot be parsed has moved nothing. */
function parseJournal(text: string): Journal | undefined {
  try {
    return JSON.parse(text) as Journal;
  } catch {
    return undefined;
  }
}

async function apply(dir: string, { moves, appends }: Journal): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const path of moves) {
      const [from, to] = [join(dir, STAGING_FOLDER, FILES, path), join(dir, path)];
      if (!(await exists(from))) continue;
      if (await exists(to)) throw new HekateError('CHAIN_EXISTS', `${to} is already there`);
      await makeFolder(dirname(to));
      await fsp.rename(from, to);
      undo.push(() => fsp.rename(to, from));
      await syncFolder(dirname(to));
    }
    for (const { file, text } of appends) {
      const path = join(dir, file);
      const before = await fsp.readFile(path, 'utf8');
      if (before.includes(text)) continue;
      await replaceFile(path, `${before}${before.endsWith('\n') ? '' : '\n'}${text}`);
      undo.push(() => replaceFile(path, before));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** The journal goes first: without it nobody acts on the rest. */
async function discard(staging: string): Promise<void> {
  await fsp.rm(join(staging, JOURNAL), { force: true });
  await fsp.rm(staging, { recursive: true, force: true });
}
