import { HekateError } from './errors.js';

/** What to do about what a system says most often (errno(3)). */
const FIXES_BY_ERRNO: Readonly<Record<string, string>> = {
  ENOENT: 'bring the file or program back, or correct the path',
  ENOTDIR: 'correct the path: a part of it is no folder',
  EISDIR: 'correct the path: it is a folder',
  ENOSPC: 'make room on the disk, then run it again',
  EDQUOT: 'make room within the quota of this user, then run it again',
  EROFS: 'make the file system writable, or choose a folder on one that is',
  EMFILE: 'allow this process more open files (ulimit -n)',
  ENFILE: 'allow this machine more open files (fs.file-max)',
  ENOMEM: 'give this machine more memory',
  EAGAIN: 'allow this user more processes (ulimit -u)',
  EADDRINUSE: 'stop the other process that uses this address, or choose another',
  EIO: 'check the disk',
};

/** What the system refused to do for us (a system error of Node), as an error of the world; undefined for anything else. */
export function asSystemError(error: unknown): HekateError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return new HekateError('SYSTEM_ERROR', error.message, { cause: error, ...systemFix(error) });
}

/** The fix for what a system said, where there is one that does not need to know what it was asked for. */
export function systemFix(error: unknown): { readonly fix?: string } {
  const fix = error instanceof Error && 'code' in error ? FIXES_BY_ERRNO[String(error.code)] : undefined;
  return fix === undefined ? {} : { fix };
}
