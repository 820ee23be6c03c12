import type { ErrorCode } from '../shared/error-codes.js';

/** Of one that has not told its status: a process that hangs is there, and is not to be started a second time. */
export function describeAbsence({ code }: { readonly code: ErrorCode }): string {
  return code === 'NOT_RUNNING' ? 'not running' : 'does not answer';
}
