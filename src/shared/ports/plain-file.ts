import { constants, promises as fsp, type Stats } from 'node:fs';
import { pinnedBytes } from '../bytes.js';
import { DiskError } from './disk-error.js';

/** Throws DiskError EUNFIT unless these are the stats of a plain file of at most `maxBytes`. */
export function checkPlain(stats: Stats, path: string, maxBytes: number): void {
  if (!stats.isFile()) throw new DiskError('EUNFIT', `${path} is not a plain file`);
  if (stats.size > maxBytes) throw new DiskError('EUNFIT', `${path} has ${stats.size} bytes`);
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
