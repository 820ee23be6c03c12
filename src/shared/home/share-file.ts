import { wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { checkShare } from '../frost/feldman.js';
import type { Group, Scalar } from '../frost/group.js';
import type { GroupInfo } from './group-file.js';
import { lockedBytes } from '../ports/locked-memory.js';
import { shareFile } from './paths.js';
import { readSecretFile } from './secret-file.js';

const CODES = { missing: 'SHARE_MISSING', mode: 'SHARE_MODE', invalid: 'SHARE_INVALID' } as const;

/** A share as it is on disk, unchecked. Throws SHARE_MISSING, SHARE_MODE or SHARE_INVALID. The caller wipes it. */
export function readShare(path: string): Promise<Uint8Array> {
  return readSecretFile(path, 'the share', CODES);
}

/**
 * The share of cosigner `id`, checked against the dealer's commitments: secret, in locked memory, the caller's to wipe. Throws as
 * `readShare`, SHARE_MISMATCH when it is not the share of this cosigner and group, FROST_POINT_INVALID for a bad group.
 */
export async function loadShare(home: string, id: number, info: GroupInfo, group: Group): Promise<Scalar> {
  const path = shareFile(home, info.chainId);
  const read = await readShare(path);
  const share = lockedBytes(read.length);
  share.set(read);
  wipe(read);
  try {
    if (id >= 1 && id <= info.count && checkShare(group, info.commitments, id, share)) return share;
    const owner = ownerOf(share, info, group);
    const instead = owner === undefined ? '' : `, it is that of cosigner ${owner}`;
    throw new HekateError('SHARE_MISMATCH', `${path} is not the share of cosigner ${id} in its group.json${instead}`);
  } catch (error) {
    wipe(share);
    throw error;
  }
}

/**
 * Whose share of a dealing it is: it does not carry its id, its public point tells. Throws FROST_POINT_INVALID for a bad
 * group.
 */
export function ownerOf(share: Uint8Array, { count, commitments }: GroupInfo, group: Group): number | undefined {
  for (let id = 1; id <= count; id++) if (checkShare(group, commitments, id, share)) return id;
  return undefined;
}
