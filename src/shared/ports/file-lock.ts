import { createRequire } from 'node:module';
import { HekateError, messageOf } from '../errors.js';
import { diskErrorCode } from './disk-error.js';

interface FileLocks {
  readonly tryLock: (fd: number) => boolean;
}

/** Of a network file system without a lock service, or a kernel that has no such lock. */
const NO_LOCKS: ReadonlySet<string> = new Set(['ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

let loaded: FileLocks | undefined;

/**
 * Takes an exclusive lock on an open file, until it is closed; false when somebody else holds it. It is on the open file
 * description (fcntl F_OFD_SETLK on Linux): the kernel gives it back when the process dies, it excludes a second open in the
 * same process too, and unlike a plain fcntl lock it is not lost when some other descriptor of the file is closed. Throws
 * STATE_LOCK_UNSUPPORTED where there is no such lock, whatever file it was for.
 */
export function tryLockFile(fd: number): boolean {
  loaded ??= load();
  try {
    return loaded.tryLock(fd);
  } catch (error) {
    const code = diskErrorCode(error) ?? '';
    if (!NO_LOCKS.has(code)) throw error;
    const problem = `the file system has no file lock (${code})`;
    const fix = 'put the home on a local file system: it must be locked while a process runs with it';
    throw new HekateError('STATE_LOCK_UNSUPPORTED', problem, { fix, cause: error });
  }
}

/** On first use, so that a command that locks nothing runs anywhere. */
function load(): FileLocks {
  try {
    return createRequire(import.meta.url)('fs-native-extensions') as FileLocks;
  } catch (error) {
    const reason = diskErrorCode(error) ?? messageOf(error);
    throw new HekateError('STATE_LOCK_UNSUPPORTED', `cannot load the file lock (${reason})`, { cause: error });
  }
}
