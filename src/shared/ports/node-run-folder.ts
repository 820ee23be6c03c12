import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { HekateError, isHekateError, messageOf } from '../errors.js';
import { diskErrorCode } from './disk-error.js';
import { tryLockFile } from './file-lock.js';
import { giveToFolderOwner } from './folder-owner.js';
import type { RunFile, RunFolder } from './run-folder.js';

/** Of statfs(2): include/uapi/linux/magic.h. */
const TMPFS_MAGIC = 0x01021994;
const MODE_OURS = 0o700;
const OTHERS = 0o077;
const MODE_FILE = 0o600;
/** The state has room for the name of a file in it. */
const MAX_FOLDER_BYTES = 300;
/** More than is ever written. */
const MAX_BYTES = 4_096;

/** Where a run-time folder may be, in this order; the first one that can be had is used. */
export function runFolderPlaces(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): { readonly given: string | undefined; readonly usual: readonly string[] } {
  // A service manager that made several separates them by colons (systemd.exec(5)).
  const given = env['RUNTIME_DIRECTORY']?.split(':')[0];
  const session = env['XDG_RUNTIME_DIR'];
  const usual = [
    '/run/hekate',
    ...(session !== undefined && isAbsolute(session) ? [join(session, 'hekate')] : []),
    `/dev/shm/hekate-${uid}`,
  ];
  return { given: given === '' ? undefined : given, usual };
}

/** Whose folder it is: that of us, or of the owner of the home where root starts its process once by hand. */
export interface RunFolderOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The run-time folder for the process of a home. Throws RUN_FOLDER_UNUSABLE. */
export function runFolderOf(home: string, env: Readonly<Record<string, string | undefined>>): RunFolder {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const owner = uid === 0 ? statSync(home) : { uid, gid };
  return openRunFolder(runFolderPlaces(env, owner.uid), owner);
}

/** Throws RUN_FOLDER_UNUSABLE, with the reason of each place that was tried. One that was given is the only one. */
export function openRunFolder(places: ReturnType<typeof runFolderPlaces>, owner: RunFolderOwner): RunFolder {
  const problems: string[] = [];
  for (const path of places.given === undefined ? places.usual : [places.given]) {
    const problem = whyUnusable(path, owner);
    if (problem === undefined) return new NodeRunFolder(path);
    problems.push(`${path} ${problem}`);
  }
  throw unusable(problems.join('; '));
}

/** Makes the folder where it is missing. Undefined: it can be used. */
function whyUnusable(path: string, owner: RunFolderOwner): string | undefined {
  if (!isAbsolute(path)) return 'is not an absolute path';
  if (Buffer.byteLength(path) > MAX_FOLDER_BYTES) return `is longer than ${MAX_FOLDER_BYTES} bytes`;
  try {
    const isThere = existsSync(path);
    if (!isTmpfs(isThere ? path : dirname(path))) return 'is not on a tmpfs: it would outlive the memory of its host';
    if (!isThere) makeFolder(path, owner);
    const stats = lstatSync(path);
    if (!stats.isDirectory()) return 'is a link or a file, and no folder';
    if (stats.uid !== owner.uid) return `belongs to user ${stats.uid}, and not to user ${owner.uid}`;
    if ((stats.mode & OTHERS) !== 0) chmodSync(path, MODE_OURS);
    return undefined;
  } catch (error) {
    return `cannot be used (${diskErrorCode(error) ?? messageOf(error)})`;
  }
}

/** Another cosigner of this host may be making it right now. */
function makeFolder(path: string, { uid, gid }: RunFolderOwner): void {
  try {
    mkdirSync(path, { mode: MODE_OURS });
    if (process.geteuid?.() === 0) lchownSync(path, uid, gid);
  } catch (error) {
    if (diskErrorCode(error) !== 'EEXIST') throw error;
  }
}

function isTmpfs(path: string): boolean {
  return statfsSync(path).type === TMPFS_MAGIC;
}

class NodeRunFolder implements RunFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  pathOf(name: string): string {
    return join(this.#path, name);
  }

  open(name: string): RunFile {
    const path = this.pathOf(name);
    try {
      return new NodeRunFile(path);
    } catch (error) {
      if (isHekateError(error)) throw error;
      throw unusable(`${path} cannot be opened (${diskErrorCode(error) ?? messageOf(error)})`, error);
    }
  }
}

/** What an earlier start left, in whatever folder; what is not there is removed. Throws RUN_FOLDER_MOVED. */
export function removeRunFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const code = diskErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return;
    const problem = `${path}, of an earlier start, cannot be removed (${code ?? messageOf(error)})`;
    throw new HekateError('RUN_FOLDER_MOVED', problem, { cause: error });
  }
}

class NodeRunFile implements RunFile {
  readonly #path: string;
  readonly #fd: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, MODE_FILE);
    try {
      const stats = fstatSync(this.#fd);
      // Where root starts for another user, that one's link to a file of root's must not be given away.
      if (!stats.isFile() || stats.nlink > 1) throw unusable(`${path} is not a plain file of one name`);
      giveToFolderOwner(path, this.#fd);
      if (!tryLockFile(this.#fd))
        throw new HekateError(
          'STATE_LOCKED',
          `${path} is held by another process: it has a share of the same cosigner`,
          {
            fix: 'let one process run with the share of a cosigner: stop the other one, and keep one copy of its home',
          },
        );
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  read(): Uint8Array {
    const bytes = new Uint8Array(MAX_BYTES);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, MAX_BYTES, 0));
  }

  write(contents: Uint8Array): void {
    const written = writeSync(this.#fd, contents, 0, contents.length, 0);
    if (written !== contents.length) throw unusable(`${this.#path}: wrote ${written} of ${contents.length} bytes`);
  }

  /** Emptied as well: the name may have been given to another file meanwhile. */
  remove(): void {
    ftruncateSync(this.#fd, 0);
    try {
      unlinkSync(this.#path);
    } catch (error) {
      if (diskErrorCode(error) !== 'ENOENT') throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function unusable(problem: string, cause?: unknown): HekateError<'RUN_FOLDER_UNUSABLE'> {
  return new HekateError('RUN_FOLDER_UNUSABLE', problem, { cause });
}
