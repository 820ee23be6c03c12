import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { HekateError, messageOf } from '../errors.js';

/** In the home; it stays when the process has ended. */
export const LOCK_FILE = 'lock';

interface FileLocks {
  readonly tryLock: (fd: number) => boolean;
}

/**
 * Makes this the only process of a home. A kernel lock: it ends with the process, however that ends. Returns the function
 * that gives it back; throws HOME_LOCKED or HOME_NOT_WRITABLE.
 */
export function lockHome(home: string): () => void {
  const { tryLock } = createRequire(import.meta.url)('fs-native-extensions') as FileLocks;
  const path = join(home, LOCK_FILE);
  const fd = openLockFile(path);
  if (tryLock(fd)) return () => closeSync(fd);
  closeSync(fd);
  throw new HekateError('HOME_LOCKED', `another process runs with ${home}`);
}

function openLockFile(path: string): number {
  try {
    return openSync(path, 'a+', 0o600);
  } catch (error) {
    throw new HekateError('HOME_NOT_WRITABLE', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
}
