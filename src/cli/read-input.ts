import { promises as fsp, read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pinnedBytes, wipe } from '../shared/bytes.js';
import { HekateError, isHekateError, messageOf } from '../shared/errors.js';
import { readPrivateFile } from '../shared/home/private-file.js';
import { accessDenied } from '../shared/ports/access-denied.js';
import { DiskError, diskErrorCode } from '../shared/ports/disk-error.js';
import { withoutMark } from '../shared/ports/plain-file.js';

const MAX_INPUT_BYTES = 64 * 1024;
/** As a file name on the command line. */
export const STANDARD_INPUT = '-';
/** Its other names. Opened by one of them, a socket cannot be read, and a file would be read from its start again. */
const STANDARD_INPUTS: ReadonlySet<string> = new Set([STANDARD_INPUT, '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);
const STANDARD_INPUT_FD = 0;
const RETRY_MS = 10;

const readFrom = promisify(read);

export function isStandardInput(file: string): boolean {
  return STANDARD_INPUTS.has(file);
}

/** What to call a file of the command line in advice: `otherwise` for what is no file that can be moved or kept. */
export function fileNameOr(file: string, otherwise: string): string {
  return isStandardInput(file) || /^\/(?:dev|proc)\//.test(file) ? otherwise : file;
}

/**
 * A file that was named on the command line, `-` for standard input, a pipe, or what a shell's `<(…)` stands for, in memory
 * that can be wiped. Throws USAGE when it cannot be read, ACCESS_DENIED when it may not be.
 */
export async function readInput(file: string, what: string): Promise<Uint8Array> {
  try {
    if (isStandardInput(file)) return await readToEnd(STANDARD_INPUT_FD, 'standard input');
    if (await isStream(file)) return await readStream(file);
    return await readPrivateFile(file, what, MAX_INPUT_BYTES, { missing: 'USAGE', mode: undefined, invalid: 'USAGE' });
  } catch (error) {
    const denied = isHekateError(error) && error.code === 'ACCESS_DENIED' ? error : accessDenied(error);
    if (denied !== undefined) throw denied;
    const isWhole = isHekateError(error) || error instanceof DiskError;
    const message = isWhole ? error.message : `${what} ${file} cannot be read: ${messageOf(error)}`;
    throw new HekateError('USAGE', message, { fix: 'give a file that exists, can be read and is UTF-8', cause: error });
  }
}

/** What has no size and can be read once. A folder, or nothing at all, is for the reader of files to say. */
async function isStream(path: string): Promise<boolean> {
  const stats = await fsp.stat(path).catch(() => undefined);
  return stats !== undefined && (stats.isFIFO() || stats.isSocket() || stats.isCharacterDevice());
}

async function readStream(path: string): Promise<Uint8Array> {
  const handle = await fsp.open(path);
  try {
    return await readToEnd(handle.fd, path);
  } finally {
    await handle.close();
  }
}

/** Straight into our own memory: Node's streams leave copies in buffers of theirs that nobody can wipe. */
async function readToEnd(fd: number, name: string): Promise<Uint8Array> {
  const contents = pinnedBytes(MAX_INPUT_BYTES + 1);
  try {
    let length = 0;
    for (;;) {
      const bytes = await readSome(fd, contents, length);
      if (bytes === 0) break;
      length += bytes;
      if (length > MAX_INPUT_BYTES) throw new DiskError('EUNFIT', `${name} has more than ${MAX_INPUT_BYTES} bytes`);
    }
    return withoutMark(contents.subarray(0, length), name);
  } catch (error) {
    wipe(contents);
    throw error;
  }
}

/** Who started us may have made the pipe non-blocking. */
async function readSome(fd: number, into: Uint8Array, offset: number): Promise<number> {
  for (;;) {
    try {
      return (await readFrom(fd, into, offset, into.length - offset, null)).bytesRead;
    } catch (error) {
      if (diskErrorCode(error) !== 'EAGAIN') throw error;
      await sleep(RETRY_MS);
    }
  }
}
