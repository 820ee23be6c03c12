import type { SlotFile } from './slot-file.js';

/**
 * The little of a disk that hekate needs. Production: `node-disk.ts`; the simulator has one that tears and loses writes.
 * Failures carry a `code`, as Node's system errors do: ENOENT, EEXIST, EACCES, ENOSPC, … and those of DiskErrorCode (disk-error.ts).
 */
export interface Disk {
  /** Whole contents; throws with code ENOENT when absent. */
  read(path: string): Promise<Uint8Array>;
  /**
   * Creates a file with these contents and mode 0600. Resolves only when data and directory entry are durable; throws
   * with code EEXIST rather than replace anything.
   */
  create(path: string, contents: Uint8Array): Promise<void>;
  /**
   * Opens an existing file for in-place writes, holding an exclusive lock on it until closed; throws with code ELOCKED
   * when somebody else holds it, EMODE when others than the owner may read or write it.
   */
  open(path: string): Promise<SlotFile>;
}
