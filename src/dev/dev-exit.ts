import { isHekateError, messageOf } from '../shared/errors.js';

/** Why the model node ended, in one line. */
export function dieWith(error: unknown): string {
  return isHekateError(error) ? error.toLine() : messageOf(error);
}
