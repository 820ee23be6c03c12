import { createReadStream, promises as fsp } from 'node:fs';
import { pinnedBytes, wipe } from '../shared/bytes.js';
import { HekateError, isHekateError, messageOf } from '../shared/errors.js';
import { readPrivateFile } from '../shared/home/private-file.js';
import { accessDenied } from '../shared/ports/access-denied.js';
import { withoutMark } from '../shared/ports/plain-file.js';

const MAX_INPUT_BYTES = 64 * 1024;
/** As a file name on the command line. */
export const STANDARD_INPUT = '-';

/**
 * A file that was named on the command line, `-` for standard input, a pipe, or what a shell's `<(…)` stands for, in memory
 * that can be wiped. Throws USAGE when it cannot be read.
 */
export async function readInput(file: string, what: string): Promise<Uint8Array> {
  try {
    const codes = { missing: 'USAGE', mode: undefined, invalid: 'USAGE' } as const;
    if (file === STANDARD_INPUT) return await gather(process.stdin as AsyncIterable<Buffer>, 'standard input');
    if (await isStream(file)) return await gather(createReadStream(file) as AsyncIterable<Buffer>, file);
    return await readPrivateFile(file, what, MAX_INPUT_BYTES, codes);
  } catch (error) {
    const denied = isHekateError(error) && error.code === 'ACCESS_DENIED' ? error : accessDenied(error);
    if (denied !== undefined) throw denied;
    const message = isHekateError(error) ? error.message : `${what} ${file} cannot be read: ${messageOf(error)}`;
    throw new HekateError('USAGE', message, { fix: 'give a file that exists and can be read', cause: error });
  }
}

/** What has no size and can be read once. A folder, or nothing at all, is for the reader of files to say. */
async function isStream(path: string): Promise<boolean> {
  const stats = await fsp.stat(path).catch(() => undefined);
  return stats !== undefined && (stats.isFIFO() || stats.isSocket() || stats.isCharacterDevice());
}

/** The parts are wiped as they come. */
async function gather(parts: AsyncIterable<Buffer>, name: string): Promise<Uint8Array> {
  const contents = pinnedBytes(MAX_INPUT_BYTES);
  let length = 0;
  try {
    for await (const part of parts) {
      if (length + part.length > contents.length) {
        wipe(part);
        throw new HekateError('USAGE', `${name} has more than ${MAX_INPUT_BYTES} bytes`);
      }
      contents.set(part, length);
      length += part.length;
      wipe(part);
    }
    return withoutMark(contents.subarray(0, length), name);
  } catch (error) {
    wipe(contents);
    throw error;
  }
}
