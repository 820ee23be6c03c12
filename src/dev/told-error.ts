import type { ErrorCode } from '../shared/error-codes.js';
import { HekateError } from '../shared/errors.js';

/** An error with what a process said last, `CODE: cause. Fix: …`, as its cause, and with the fix that this one gave. */
export function toldError(code: ErrorCode, what: string, said: string): HekateError {
  const [, cause = said, fix] = /^([^]*?)\. Fix: ([^]*)$/.exec(said) ?? [];
  return new HekateError(code, `${what}: ${cause}`, fix === undefined ? {} : { fix });
}
