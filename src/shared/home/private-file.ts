import type { ErrorCode } from '../error-codes.js';
import { HekateError, isHekateError, messageOf } from '../errors.js';
import { diskErrorCode } from '../ports/disk-error.js';
import { accessDenied } from '../ports/access-denied.js';
import { whyUnsafe } from '../ports/file-access.js';
import { readPlainText } from '../ports/plain-file.js';

export interface PrivateFileCodes {
  /** Also for files that cannot be read. */
  readonly missing: ErrorCode;
  /** Undefined: a file that others may use is read all the same. */
  readonly mode: ErrorCode | undefined;
  readonly invalid: ErrorCode;
}

/** Contents of a secret file; the caller wipes them. `what` names it in messages. */
export async function readPrivateFile(
  path: string,
  what: string,
  maxBytes: number,
  codes: PrivateFileCodes,
): Promise<Uint8Array> {
  try {
    return await readPlainText(path, maxBytes, (stats) => {
      const unsafe = codes.mode === undefined ? undefined : whyUnsafe(path, stats, 'secret');
      if (unsafe !== undefined && codes.mode !== undefined)
        throw new HekateError(codes.mode, `${what} ${unsafe.problem}`, { fix: unsafe.fix });
    });
  } catch (error) {
    if (isHekateError(error)) throw error;
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    if (diskErrorCode(error) === 'EUNFIT') throw new HekateError(codes.invalid, `${what} ${messageOf(error)}`);
    throw new HekateError(codes.missing, `${what} ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
