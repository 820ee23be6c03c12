/**
 * The state file of one chain and key: 8192 bytes, two slots in separate 4096-byte blocks, and in each slot the same record
 * twice, in two 512-byte sectors, each copy with its own checksum:
 *
 *     0 even slot, copy 1 | 512 even slot, copy 2 | … | 4096 odd slot, copy 1 | 4608 odd slot, copy 2 | …
 *     2048 name of the file in the run-time folder, copy 1 | 2560 copy 2 (run-file-name.ts)
 *
 * Record number n goes to slot n mod 2, both copies in one write of 1024 bytes, never two writes at a time; the share that
 * belongs to it leaves when that write is durable. So the slots hold numbers n and n-1, and only the slot with n-1 is ever
 * written to. Reading takes the highest valid copy of each slot, and then the higher slot.
 *
 * Why two copies. With one copy a bad checksum has two explanations: a write that was cut short by a crash, where going
 * back to the other slot is right (its share never left), and damage to a record whose share did leave, where going back
 * would allow a second signature. Two copies tell them apart, if one thing goes wrong at a time:
 *
 * - A write cut short leaves at least one valid copy in its slot. Where the disk keeps a prefix of the bytes, the tear is
 *   in one copy, and the other is still the old or already the new record. Where it keeps any set of whole sectors,
 *   each copy is the old or the new record. If a new copy is found it is used: higher than needed is safe. If only the
 *   old one is found, record n+1 was never durable, no share left for it, and the other slot's n is the newest.
 * - A write that completed left both copies new. One damaged, unreadable or stale sector leaves the other copy, which is
 *   found. So a damaged sector never leads back.
 * - No valid copy in a slot is neither of the two, and the file was created with four valid copies: it is refused. The
 *   same for numbers that no order of writes leaves behind (a disk that acknowledges writes and loses them), and for a
 *   watermark that falls while the numbers rise. On a disk with 4096-byte sectors damage to one sector takes both copies: a
 *   refusal too.
 *
 * Two faults can meet only if the traces of the first stay in the file. So at each start, before anything is signed, the
 * store first mends what copies are stale, each by itself (a start that is cut short leaves the slot's good copy), and then
 * writes both slots anew. That also settles a second doubt: what was read may have come from the page cache after a failed
 * write, and not from the disk.
 */
import { equalBytes, toHex } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant, must } from '../invariant.js';
import { readRunFileNames } from './run-file-name.js';
import { decodeRecord, encodeRecord, RECORD_BYTES, sameBinding } from './slot-record.js';
import type { SlotRecord, StateBinding } from './slot-record.js';
import { compareHrs, describePlace, type Watermark } from './watermark.js';

export const SLOT_BYTES = 2 * RECORD_BYTES;
export const SLOT_FILE_BYTES = 8192;
const SLOT_STRIDE = 4096;

export interface RecoveredState {
  readonly sequence: bigint;
  readonly watermark: Watermark;
  readonly life: Uint8Array | undefined;
  /** The files in run-time folders that this state may stand in; none before the first start, one afterwards. */
  readonly runFiles: readonly string[];
  /** Copies that are not valid, or older than their slot's newest, and what belongs there: none after a clean stop. */
  readonly repairs: readonly CopyRepair[];
}

/** One copy of a record to be written alone, so that a crash meanwhile leaves its slot's other copy as it is. */
export interface CopyRepair {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where record number `sequence` is written. */
export function slotOffset(sequence: bigint): number {
  return Number(sequence % 2n) * SLOT_STRIDE;
}

/** The 1024 bytes of one write. */
export function encodeSlot(
  binding: StateBinding,
  sequence: bigint,
  watermark: Watermark,
  life?: Uint8Array,
): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES);
  encodeRecord({ binding, sequence, watermark, life }, Buffer.from(slot.buffer, 0, RECORD_BYTES));
  return slot.copyWithin(RECORD_BYTES, 0, RECORD_BYTES);
}

/** A new file with four valid copies, numbers `sequence` and the one before. */
export function newSlotFile(binding: StateBinding, sequence: bigint, watermark: Watermark): Uint8Array {
  invariant(sequence >= 1n, 'a new state file has two numbers');
  const file = new Uint8Array(SLOT_FILE_BYTES);
  for (const number of [sequence - 1n, sequence]) file.set(encodeSlot(binding, number, watermark), slotOffset(number));
  return file;
}

/**
 * The newest state in a file's contents. `path` is for messages. Throws STATE_TRUNCATED, STATE_CORRUPT, STATE_FOREIGN or
 * STATE_VERSION.
 */
export function recoverSlotFile(contents: Uint8Array, binding: StateBinding, path: string): RecoveredState {
  checkSize(contents, SLOT_FILE_BYTES, path);
  const slots = [0, 1].map((slot) => readSlot(contents, slot, binding, path));
  const [even, odd] = [must(slots[0], 'even slot'), must(slots[1], 'odd slot')];
  const [newest, before] = even.newest.sequence > odd.newest.sequence ? [even, odd] : [odd, even];
  if (newest.newest.sequence !== before.newest.sequence + 1n) {
    const numbers = `${before.newest.sequence} and ${newest.newest.sequence}`;
    throw corrupt(path, `its slots have the numbers ${numbers}, so a completed write was lost`);
  }
  const [high, low] = [newest.newest.watermark, before.newest.watermark];
  if (compareHrs(high, low) < 0) {
    throw corrupt(path, `its watermark falls from ${describePlace(low)} to ${describePlace(high)}`);
  }
  return {
    sequence: newest.newest.sequence,
    watermark: high,
    life: newest.newest.life,
    runFiles: readRunFileNames(contents, path),
    repairs: [...newest.repairs, ...before.repairs],
  };
}

/** The valid copies of a record, two sectors from `offset` on. Throws STATE_FOREIGN or STATE_VERSION. */
export function readCopies(
  contents: Uint8Array,
  offset: number,
  binding: StateBinding,
  path: string,
): readonly SlotRecord[] {
  const valid: SlotRecord[] = [];
  for (const at of [offset, offset + RECORD_BYTES]) {
    const decoded = decodeRecord(contents.subarray(at, at + RECORD_BYTES));
    if (decoded.kind === 'version') {
      throw new HekateError(
        'STATE_VERSION',
        `${path} has version ${decoded.version}, this hekate reads versions 1 to 3`,
      );
    }
    if (decoded.kind === 'bad') continue;
    if (!sameBinding(decoded.record.binding, binding)) throw foreign(path, decoded.record.binding, binding);
    valid.push(decoded.record);
  }
  return valid;
}

export function checkSize(contents: Uint8Array, expected: number, path: string): void {
  if (contents.length === expected) return;
  throw new HekateError('STATE_TRUNCATED', `${path} has ${contents.length} bytes, a state file has ${expected}`);
}

export function corrupt(path: string, problem: string): HekateError {
  return new HekateError('STATE_CORRUPT', `${path} is damaged: ${problem}`);
}

interface ReadSlot {
  readonly newest: SlotRecord;
  readonly repairs: readonly CopyRepair[];
}

function readSlot(contents: Uint8Array, slot: number, binding: StateBinding, path: string): ReadSlot {
  const name = slot === 0 ? 'even' : 'odd';
  const copies = readCopies(contents, slot * SLOT_STRIDE, binding, path);
  const newest = copies.reduce<SlotRecord | undefined>((a, b) => (a && a.sequence >= b.sequence ? a : b), undefined);
  if (newest === undefined) throw corrupt(path, `no copy in its ${name} slot can be read`);
  for (const copy of copies) {
    const { sequence } = copy;
    if (sequence === newest.sequence) {
      if (!sameRecord(copy, newest)) throw corrupt(path, `number ${sequence} has two contents`);
    } else if (sequence !== newest.sequence - 2n) {
      throw corrupt(path, `its ${name} slot has the numbers ${sequence} and ${newest.sequence}`);
    }
  }
  if (Number(newest.sequence % 2n) !== slot) throw corrupt(path, `number ${newest.sequence} is in the ${name} slot`);
  const bytes = encodeRecord(newest);
  const offsets = [0, RECORD_BYTES].map((at) => slot * SLOT_STRIDE + at);
  const stale = offsets.filter((at) => {
    const copy = decodeRecord(contents.subarray(at, at + RECORD_BYTES));
    return copy.kind !== 'record' || copy.record.sequence !== newest.sequence;
  });
  return { newest, repairs: stale.map((offset) => ({ offset, bytes })) };
}

function sameRecord(a: SlotRecord, b: SlotRecord): boolean {
  const withoutVersion = (record: SlotRecord): Uint8Array => encodeRecord(record);
  return equalBytes(withoutVersion(a), withoutVersion(b));
}

function foreign(path: string, found: StateBinding, wanted: StateBinding): HekateError {
  const name = ({ chainId, groupPublicKey }: StateBinding): string =>
    `chain ${JSON.stringify(chainId)} and key ${toHex(groupPublicKey)}`;
  return new HekateError('STATE_FOREIGN', `${path} belongs to ${name(found)}, not to ${name(wanted)}`);
}
