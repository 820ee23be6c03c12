import { chownSync, fstatSync, fchownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who should have what root makes at this path: the owner of its folder. Somebody who starts a process once by hand, or adds a
 * chain, as root must not leave files that the service cannot use. Undefined: whoever makes it has it anyway.
 */
export function ownerInFolder(path: string): Owner | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(dirname(path));
  return uid === 0 ? undefined : { uid, gid };
}

/** Gives what we have just made to the owner of its folder. */
export function giveToFolderOwner(path: string, fd?: number): void {
  const owner = ownerInFolder(path);
  if (owner === undefined) return;
  if (fd === undefined) return chownSync(path, owner.uid, owner.gid);
  if (fstatSync(fd).uid === 0) fchownSync(fd, owner.uid, owner.gid);
}
