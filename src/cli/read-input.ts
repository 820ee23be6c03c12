import { HekateError, isHekateError } from '../shared/errors.js';
import { readPrivateFile } from '../shared/home/private-file.js';

const MAX_INPUT_BYTES = 64 * 1024;

/** A file that was named on the command line, in memory that can be wiped. Throws USAGE when it cannot be read. */
export async function readInput(file: string, what: string): Promise<Uint8Array> {
  try {
    const codes = { missing: 'USAGE', mode: undefined, invalid: 'USAGE' } as const;
    return await readPrivateFile(file, what, MAX_INPUT_BYTES, codes);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    throw new HekateError('USAGE', error.message, { fix: 'give a file that exists and can be read', cause: error });
  }
}
