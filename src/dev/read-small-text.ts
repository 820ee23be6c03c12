import { diskErrorCode } from '../shared/ports/disk-error.js';
import { readPlainText } from '../shared/ports/plain-file.js';

const MAX_BYTES = 4096;

/** A file that `hekate dev` keeps beside the homes: undefined when there is none, empty when it is too long, or no text. */
export async function readSmallText(path: string): Promise<string | undefined> {
  try {
    return Buffer.from(await readPlainText(path, MAX_BYTES)).toString('utf8');
  } catch (error) {
    const code = diskErrorCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'EUNFIT') return '';
    throw error;
  }
}
