import { stat } from 'node:fs/promises';
import { wipe } from '../../shared/bytes.js';
import { HekateError } from '../../shared/errors.js';
import { readPrivateFile } from '../../shared/home/private-file.js';
import { whyUnsafe } from '../../shared/ports/file-access.js';
import { encryptedWith } from './encrypted-key.js';

const MAX_KEY_FILE_BYTES = 64 * 1024;

/** What `read` makes of a key file, whose bytes are wiped afterwards. Throws KEY_INVALID, ACCESS_DENIED and what `read` throws. */
export async function withKeyFile<T>(path: string, what: string, read: (contents: Uint8Array) => T): Promise<T> {
  const codes = { missing: 'KEY_INVALID', mode: undefined, invalid: 'KEY_INVALID' } as const;
  const contents = await readPrivateFile(path, what, MAX_KEY_FILE_BYTES, codes);
  try {
    const lock = encryptedWith(contents);
    if (lock !== undefined)
      throw new HekateError('KEY_INVALID', `${what} ${path} is encrypted with ${lock}`, {
        fix: 'decrypt it into a file on a tmpfs (/dev/shm) that only you can read, give that, and remove it afterwards',
      });
    return read(contents);
  } finally {
    wipe(contents);
  }
}

/** What is wrong with who else may read a key file, as a sentence; none when nothing is. */
export async function notesOnAccess(path: string): Promise<readonly string[]> {
  const unsafe = whyUnsafe(path, await stat(path), 'secret');
  return unsafe === undefined ? [] : [`${unsafe.problem}; ${unsafe.fix}`];
}
