import { randomBytes } from 'node:crypto';
import { close, constants, fstat, open, promises as fsp, write, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { invariant } from '../invariant.js';
import type { Disk } from './disk.js';
import { DiskError } from './disk-error.js';
import { createFile, syncFolder } from './durable-file.js';
import { tryLockFile } from './file-lock.js';
import { whyUnsafe } from './file-access.js';
import { MODE_PRIVATE, whyNotWritable } from './file-mode.js';
import { checkPlain, readPlainFile } from './plain-file.js';
import type { SlotFile } from './slot-file.js';

/** No file of ours comes near; keeps a wrong path from filling the memory. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/** The disk of the machine. Linux is what it is made for; on macOS O_DSYNC does not reach through the drive's own cache. */
export const nodeDisk: Disk = { read: readWhole, create: createDurably, open: openLocked };

function readWhole(path: string): Promise<Uint8Array> {
  return readPlainFile(path, MAX_FILE_BYTES);
}

/** Temporary name, fsync, link (which unlike rename never replaces), fsync of the directory. */
async function createDurably(path: string, contents: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await createFile(temporary, contents, MODE_PRIVATE);
    await fsp.link(temporary, path);
  } finally {
    await fsp.rm(temporary, { force: true });
  }
  await syncFolder(folder);
}

async function openLocked(path: string): Promise<SlotFile> {
  // Where a system has no such flag Node leaves it out, and undefined would be no bit at all.
  invariant(constants.O_DSYNC > 0, 'the system can write through to the disk');
  const fd = await openFile(path, constants.O_RDWR | constants.O_DSYNC);
  try {
    const stats = await statFile(fd);
    checkPlain(stats, path, MAX_FILE_BYTES);
    checkMode(stats, path);
    if (!tryLockFile(fd)) throw new DiskError('ELOCKED', `${path} is held by another process`);
    // The name may have been given to another file between open and lock: then this lock protects nothing.
    const named = await fsp.stat(path);
    if (named.ino !== stats.ino || named.dev !== stats.dev) throw new DiskError('ELOCKED', `${path} was just replaced`);
    return new LockedFile(fd, stats.size);
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}

function checkMode(stats: Stats, path: string): void {
  const unsafe = whyUnsafe(path, stats, 'secret');
  if (unsafe !== undefined) throw new DiskError('EMODE', `${unsafe.problem}; ${unsafe.fix}`);
  const notWritable = whyNotWritable(stats.mode);
  if (notWritable !== undefined) throw Object.assign(new Error(`${path} ${notWritable}`), { code: 'EACCES' });
}

class LockedFile implements SlotFile {
  readonly #fd: number;
  readonly #size: number;
  #open = true;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /**
   * Durable when it resolves, because the file was opened with O_DSYNC. `fs.write` with a callback: FileHandle.write is
   * slower by 6 to 35 µs a write, writeSync stops the event loop.
   */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    invariant(this.#open, 'a closed file is not written');
    invariant(offset >= 0 && offset + bytes.length <= this.#size, 'a slot file is only overwritten, it never grows');
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, 0, bytes.length, offset, (error, written) => {
        if (error !== null) reject(error);
        else if (written !== bytes.length) reject(new DiskError('ESHORT', `wrote ${written} of ${bytes.length} bytes`));
        else resolve();
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeFile(this.#fd);
  }
}
