import { constants, promises as fsp } from 'node:fs';
import { giveToFolderOwner } from './folder-owner.js';

/** Creates a file that is not there yet, with its contents on disk when this resolves; the entry needs `syncFolder`. */
export async function createFile(path: string, contents: Uint8Array | string, mode: number): Promise<void> {
  const handle = await fsp.open(path, 'wx', mode);
  try {
    await handle.chmod(mode);
    giveToFolderOwner(path, handle.fd);
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
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
