import { HekateError, isHekateError, messageOf, type StateDiskCode } from '../errors.js';
import { InvariantViolation } from '../invariant.js';
import { accessDenied } from '../ports/access-denied.js';
import { diskErrorCode } from '../ports/disk-error.js';

const CODES: Readonly<Record<string, StateDiskCode>> = {
  ENOENT: 'STATE_MISSING',
  EEXIST: 'STATE_EXISTS',
  ELOCKED: 'STATE_LOCKED',
  EMODE: 'STATE_MODE',
  EACCES: 'STATE_NOT_WRITABLE',
  EPERM: 'STATE_NOT_WRITABLE',
  EROFS: 'STATE_NOT_WRITABLE',
};

/** What a failing disk means for a state file; errors that say it already, and broken invariants, pass through. */
function stateError(error: unknown, path: string, otherwise: StateDiskCode): Error {
  if (isHekateError(error) || error instanceof InvariantViolation) return error;
  const denied = accessDenied(error);
  if (denied !== undefined) return denied;
  const diskCode = diskErrorCode(error) ?? '';
  const code = CODES[diskCode] ?? otherwise;
  const problem = code === 'STATE_MISSING' ? 'it does not exist' : messageOf(error);
  return new HekateError(code, `state file ${path}: ${problem}`, { cause: error, details: { path, disk: diskCode } });
}

/** Runs a disk operation; its failures come out as state errors. */
export async function onState<T>(path: string, otherwise: StateDiskCode, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw stateError(error, path, otherwise);
  }
}
