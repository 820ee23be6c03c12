import { constants, promises as fsp } from 'node:fs';
import type { ErrorCode } from '../error-codes.js';
import { HekateError, messageOf } from '../errors.js';
import { whyNotPrivate } from '../ports/file-mode.js';

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
  let handle: fsp.FileHandle;
  try {
    handle = await fsp.open(path, constants.O_RDONLY);
  } catch (error) {
    throw new HekateError(codes.missing, `${what} ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new HekateError(codes.invalid, `${what} ${path} is not a plain file`);
    if (stats.size > maxBytes) throw new HekateError(codes.invalid, `${what} ${path} has ${stats.size} bytes`);
    const notPrivate = whyNotPrivate(stats.mode);
    if (notPrivate !== undefined && codes.mode !== undefined)
      throw new HekateError(codes.mode, `${what} ${path} ${notPrivate}`);
    // Into our own buffer: readFile of a handle may keep copies that nobody wipes.
    const contents = new Uint8Array(stats.size);
    let length = 0;
    while (length < contents.length) {
      const { bytesRead } = await handle.read(contents, length, contents.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return contents.subarray(0, length);
  } finally {
    await handle.close();
  }
}
