import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { HekateError, isHekateError, messageOf } from '../errors.js';
import { checkHomeFolders } from '../home/guard.js';
import { accessDenied } from '../ports/access-denied.js';
import { giveToFolderOwner } from '../ports/folder-owner.js';
import { tryLockFile } from '../ports/file-lock.js';
import { MODE_PRIVATE } from '../ports/file-mode.js';

/** In the home; it stays when the process has ended. */
export const LOCK_FILE = 'lock';

/**
 * Makes this the only process of a home. A kernel lock: it ends with the process, however that ends. Returns the function
 * that gives it back; throws HOME_LOCKED, HOME_NOT_WRITABLE, HOME_TOO_OPEN, ACCESS_DENIED or STATE_LOCK_UNSUPPORTED.
 */
export function lockHome(home: string): () => void {
  const path = join(home, LOCK_FILE);
  const fd = openLockFile(home, path);
  let locked = false;
  try {
    locked = tryLockFile(fd);
  } finally {
    if (!locked) closeSync(fd);
  }
  if (!locked) throw new HekateError('HOME_LOCKED', `another process runs with ${home}`);
  return () => closeSync(fd);
}

function openLockFile(home: string, path: string): number {
  try {
    checkHomeFolders(home);
    const fd = openSync(path, 'a+', MODE_PRIVATE);
    giveToFolderOwner(path, fd);
    return fd;
  } catch (error) {
    if (isHekateError(error)) throw error;
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    throw new HekateError('HOME_NOT_WRITABLE', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
}
