import { promises as fsp } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { createFile, syncFolder } from '../shared/ports/durable-file.js';
import { giveToFolderOwner } from '../shared/ports/folder-owner.js';

export const MODE_PUBLIC = 0o644;
const MODE_FOLDER = 0o700;
export const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);

/** Gives an existing file new contents in one step; its mode stays. */
export async function replaceFile(path: string, contents: string): Promise<void> {
  const { mode } = await fsp.stat(path);
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await createFile(temporary, contents, mode & 0o777);
    await fsp.rename(temporary, path);
  } catch (error) {
    await fsp.rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** With the folders around it that are missing. */
export async function makeFolder(path: string): Promise<void> {
  const first = await fsp.mkdir(path, { recursive: true, mode: MODE_FOLDER });
  if (first === undefined) return;
  const made: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    made.unshift(at);
    if (at === resolve(first)) break;
  }
  for (const folder of made) giveToFolderOwner(folder);
}

/** `syncFolder` for a folder and all that are in it. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await fsp.readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await syncTree(`${path}/${entry.name}`);
  await syncFolder(path);
}

/** Throws where that cannot be said: a folder on the way may not be entered. */
export async function exists(path: string): Promise<boolean> {
  try {
    await fsp.lstat(path);
    return true;
  } catch (error) {
    if (ABSENT.has(diskErrorCode(error))) return false;
    throw error;
  }
}

/** Whether a process with this id is there (also one of another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
