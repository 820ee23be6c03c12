import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { checksum } from './checksum.js';
import { RECORD_BYTES } from './slot-record.js';

/**
 * The state names the file in a run-time folder that its records go to as well, so that two such files never take turns: a start
 * that would use another one removes the named one first. Two copies, 512 bytes each, between the slots of the state file; both
 * zero before the first start:
 *
 *     0 magic (8) | 8 length of the path (2) | 10 path | … | 480 SHA-256 of bytes 0 to 479 (32)
 */
export const RUN_FILE_NAME_OFFSETS = [2_048, 2_560] as const;

const MAGIC = Buffer.from('HEKATERN', 'latin1');
const AT = { length: 8, path: 10, checksum: 480 } as const;
export const MAX_RUN_FILE_PATH_BYTES = AT.checksum - AT.path;

export function encodeRunFileName(path: string): Uint8Array {
  const name = Buffer.from(path, 'utf8');
  invariant(name.length >= 1 && name.length <= MAX_RUN_FILE_PATH_BYTES, 'the path of a run-time file fits');
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.set(MAGIC, 0);
  bytes.writeUInt16BE(name.length, AT.length);
  bytes.set(name, AT.path);
  bytes.set(checksum(bytes), AT.checksum);
  return bytes;
}

/**
 * The names in the contents of a state file: two where a change of it was cut short, none where the first naming was: nothing had
 * been left in that file then. Throws STATE_CORRUPT where neither copy tells what was there.
 */
export function readRunFileNames(contents: Uint8Array, path: string): readonly string[] {
  const names = new Set<string>();
  let damaged = 0;
  for (const offset of RUN_FILE_NAME_OFFSETS) {
    const bytes = Buffer.from(contents.subarray(offset, offset + RECORD_BYTES));
    const name = decode(bytes);
    if (name !== undefined) names.add(name);
    else if (bytes.some((byte) => byte !== 0)) damaged++;
  }
  if (damaged === RUN_FILE_NAME_OFFSETS.length)
    throw new HekateError(
      'STATE_CORRUPT',
      `${path} is damaged: the name of its file in the run-time folder is no name`,
    );
  return [...names];
}

function decode(bytes: Buffer): string | undefined {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!checksum(bytes).equals(bytes.subarray(AT.checksum))) return undefined;
  const length = bytes.readUInt16BE(AT.length);
  return length >= 1 && length <= MAX_RUN_FILE_PATH_BYTES
    ? bytes.toString('utf8', AT.path, AT.path + length)
    : undefined;
}
