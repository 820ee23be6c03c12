import { constants, promises as fsp, type Stats } from 'node:fs';
import { pinnedBytes, wipe } from '../bytes.js';
import { DiskError } from './disk-error.js';

/** Throws DiskError EUNFIT unless these are the stats of a plain file of at most `maxBytes`. */
export function checkPlain(stats: Stats, path: string, maxBytes: number): void {
  if (!stats.isFile()) throw new DiskError('EUNFIT', `${path} is not a plain file`);
  if (stats.size > maxBytes) throw new DiskError('EUNFIT', `${path} has ${stats.size} bytes`);
}

/** As `readPlainFile`, of a text in UTF-8, without the byte order mark that some editors write. DiskError EUNFIT for UTF-16. */
export async function readPlainText(...args: Parameters<typeof readPlainFile>): Promise<Uint8Array> {
  const text = await readPlainFile(...args);
  try {
    return withoutMark(text, args[0]);
  } catch (error) {
    wipe(text);
    throw error;
  }
}

/**
 * A text in UTF-8 without a byte order mark. `name` is for messages. Throws DiskError EUNFIT for UTF-16, with its mark or
 * without: all texts of ours begin with ASCII, where every other byte is zero then.
 */
export function withoutMark(text: Uint8Array, name: string): Uint8Array {
  const [first, second, third] = text;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const oneIsZero = second !== undefined && (first === 0) !== (second === 0);
  if (isMarked || oneIsZero)
    throw new DiskError('EUNFIT', `${name} is UTF-16, as some editors and shells write it; save it as UTF-8`);
  return first === 0xef && second === 0xbb && third === 0xbf ? text.subarray(3) : text;
}

/**
 * Contents of a plain file of at most `maxBytes`; `check` sees the opened file first. Throws DiskError EUNFIT, what `check`
 * throws, and errors of the system.
 */
export async function readPlainFile(
  path: string,
  maxBytes: number,
  check: (stats: Stats) => void = () => undefined,
): Promise<Uint8Array> {
  const handle = await fsp.open(path, constants.O_RDONLY);
  try {
    const stats = await handle.stat();
    checkPlain(stats, path, maxBytes);
    check(stats);
    // Into our own buffer: readFile of a handle may keep copies that nobody wipes.
    const contents = pinnedBytes(stats.size);
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
