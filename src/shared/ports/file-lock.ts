import { createRequire } from 'node:module';
import { messageOf } from '../errors.js';
import { DiskError, diskErrorCode } from './disk-error.js';

interface FileLocks {
  readonly tryLock: (fd: number) => boolean;
}

let loaded: FileLocks | undefined;

/**
 * Takes an exclusive lock on an open file, until it is closed; false when somebody else holds it. It is on the open file
 * description (fcntl F_OFD_SETLK on Linux): the kernel gives it back when the process dies, it excludes a second open in the
 * same process too, and unlike a plain fcntl lock it is not lost when some other descriptor of the file is closed. Throws
 * DiskError ENOLOCK where there is no such lock.
 */
export function tryLockFile(fd: number): boolean {
  loaded ??= load();
  return loaded.tryLock(fd);
}

/** On first use, so that a command that locks nothing runs anywhere. */
function load(): FileLocks {
  try {
    return createRequire(import.meta.url)('fs-native-extensions') as FileLocks;
  } catch (error) {
    throw new DiskError('ENOLOCK', `cannot load the file lock (${diskErrorCode(error) ?? messageOf(error)})`, error);
  }
}
