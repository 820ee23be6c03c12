import { constants, promises as fsp } from 'node:fs';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';

export const MODE_SECRET = 0o600;
export const MODE_PUBLIC = 0o644;
const MODE_FOLDER = 0o700;

/** Creates a file that is not there yet, with its contents on disk when this resolves; the entry needs `syncFolder`. */
export async function createFile(path: string, contents: Uint8Array | string, mode: number): Promise<void> {
  const handle = await fsp.open(path, 'wx', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

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

/** Puts the entries of a folder on disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await fsp.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
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
