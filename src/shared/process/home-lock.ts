import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { HekateError, messageOf } from '../errors.js';
import { tryLockFile } from '../ports/file-lock.js';
import { MODE_PRIVATE } from '../ports/file-mode.js';

/** In the home; it stays when the process has ended. */
export const LOCK_FILE = 'lock';

/**
 * Makes this the only process of a home. A kernel lock: it ends with the process, however that ends. Returns the function
 * that gives it back; throws HOME_LOCKED, HOME_NOT_WRITABLE, or DiskError ENOLOCK where there is no such lock.
 */
export function lockHome(home: string): () => void {
  const path = join(home, LOCK_FILE);
  const fd = openLockFile(path);
  let locked = false;
  try {
    locked = tryLockFile(fd);
  } finally {
    if (!locked) closeSync(fd);
  }
  if (!locked) throw new HekateError('HOME_LOCKED', `another process runs with ${home}`);
  return () => closeSync(fd);
}

function openLockFile(path: string): number {
  try {
    return openSync(path, 'a+', MODE_PRIVATE);
  } catch (error) {
    throw new HekateError('HOME_NOT_WRITABLE', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
}
