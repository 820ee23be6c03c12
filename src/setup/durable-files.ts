import { promises as fsp } from 'node:fs';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';
import { createFile, syncFolder } from '../shared/ports/durable-file.js';

export const MODE_PUBLIC = 0o644;
const MODE_FOLDER = 0o700;

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

export async function makeFolder(path: string): Promise<void> {
  await fsp.mkdir(path, { recursive: true, mode: MODE_FOLDER });
}

/** `syncFolder` for a folder and all that are in it. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await fsp.readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await syncTree(`${path}/${entry.name}`);
  await syncFolder(path);
}

export async function exists(path: string): Promise<boolean> {
  return fsp.lstat(path).then(
    () => true,
    () => false,
  );
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
