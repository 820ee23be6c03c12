import { equalBytes } from '../bytes.js';
import { checksum } from './checksum.js';
import { LIFE_BYTES } from './slot-record.js';

/**
 * What a process leaves in a folder that lives as long as its host's memory (docs/invariants.md, W6): the life of its state
 * and the number of its last write. A start that finds it there knows that only the process was restarted, and that the disk
 * has lost nothing since.
 *
 *     0 magic (8) | 8 life (16) | 24 number (8, big-endian) | 32 SHA-256 of bytes 0 to 31 (32)
 */
export interface RunRecord {
  /** 16 bytes. */
  readonly life: Uint8Array;
  readonly sequence: bigint;
}

export const RUN_RECORD_BYTES = 64;
const MAGIC = Buffer.from('HEKATERR', 'latin1');
const AT = { life: 8, sequence: 24, checksum: 32 } as const;

/** In `bytes` where they are given. */
export function encodeRunRecord({ life, sequence }: RunRecord, bytes = Buffer.alloc(RUN_RECORD_BYTES)): Uint8Array {
  bytes.set(MAGIC, 0);
  bytes.set(life, AT.life);
  bytes.writeBigUInt64BE(sequence, AT.sequence);
  bytes.set(checksum(bytes), AT.checksum);
  return bytes;
}

/** Undefined: no record. What is damaged is none either: then the start waits. */
export function decodeRunRecord(contents: Uint8Array): RunRecord | undefined {
  const bytes = Buffer.from(contents);
  if (bytes.length !== RUN_RECORD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!checksum(bytes).equals(bytes.subarray(AT.checksum))) return undefined;
  return { life: bytes.subarray(AT.life, AT.life + LIFE_BYTES), sequence: bytes.readBigUInt64BE(AT.sequence) };
}

export type Standing =
  /** Only the process was restarted: it goes on at once. */
  | 'same'
  /** The host was, or nothing is known: it waits. */
  | 'unknown'
  /** The disk had come further in this life: writes were lost, or an old copy was put back. It waits. */
  | 'behind';

/** What a start knows from the record, once it has read its state, before it writes anything. Pure. */
export function standing(
  { life, sequence }: { readonly life: Uint8Array | undefined; readonly sequence: bigint },
  record: RunRecord | undefined,
): Standing {
  if (life === undefined || record === undefined || !equalBytes(life, record.life)) return 'unknown';
  if (record.sequence > sequence) return 'behind';
  // The record is written after the disk, so that a process may end in between.
  return sequence - record.sequence <= 1n ? 'same' : 'unknown';
}
