import { HekateError, isHekateError } from '../errors.js';
import type { Disk } from '../ports/disk.js';
import { checkSize, corrupt, encodeSlot, readCopies, recoverSlotFile, SLOT_BYTES } from './state-file.js';
import type { RecoveredState } from './state-file.js';
import { decodeRecord, encodeRecord, RECORD_BYTES } from './slot-record.js';
import type { SlotRecord, StateBinding } from './slot-record.js';
import { onState } from './state-errors.js';
import { compareHrs, describePlace } from './watermark.js';

/**
 * A second, small file beside the state: the record that stood at the last start, in two copies. A state file
 * with a lower number or a lower watermark than its mark is an older copy that somebody put back. The mark is written after
 * the state, so a crash in between leaves it behind, which is harmless. Its copies are written one after the other, the
 * newest last: however often that is cut short, one valid copy stays.
 */
export function markPath(path: string): string {
  return `${path}.mark`;
}

/** Contents of a mark. */
export function encodeMark(binding: StateBinding, state: Omit<SlotRecord, 'binding'>): Uint8Array {
  return encodeSlot(binding, state.sequence, state.watermark, state.life);
}

/** The newest valid copy. Throws STATE_TRUNCATED, STATE_CORRUPT, STATE_FOREIGN or STATE_VERSION. */
export function decodeMark(contents: Uint8Array, binding: StateBinding, path: string): SlotRecord {
  checkSize(contents, SLOT_BYTES, path);
  const [first, second] = readCopies(contents, 0, binding, path);
  if (first === undefined) throw corrupt(path, 'neither copy in it can be read');
  return second !== undefined && second.sequence > first.sequence ? second : first;
}

/** A state as it stands, its mark considered. */
export interface MarkedState extends RecoveredState {
  /** It is an older copy than its mark: what it has, and what it had reached. Then the watermark is a floor at the mark. */
  readonly rolledBack: string | undefined;
}

/**
 * State and mark of a state file, checked against each other. Throws STATE_MISSING, STATE_CORRUPT, STATE_TRUNCATED,
 * STATE_FOREIGN, STATE_VERSION or STATE_UNREADABLE.
 */
export async function readState(disk: Disk, path: string, binding: StateBinding): Promise<MarkedState> {
  const contents = await onState(path, 'STATE_UNREADABLE', () => disk.read(path));
  const state = recoverSlotFile(contents, binding, path);
  const mark = await readMark(disk, path, binding);
  if (mark === undefined) {
    const problem = `without ${markPath(path)} the newest state cannot be told from an old copy`;
    const fix =
      'bring the mark back; if it is lost, run `hekate state init … --replace --i-accept-that-this-can-double-sign` with a height ' +
      'at or above everything this key ever signed, and start this cosigner';
    throw new HekateError('STATE_MISSING', `state file ${path} has lost its mark: ${problem}`, { fix });
  }
  return againstMark(state, mark, path);
}

/** The mark of the state file at `path`; undefined when there is none. Throws as `readState`. */
export async function readMark(disk: Disk, path: string, binding: StateBinding): Promise<SlotRecord | undefined> {
  const contents = await readIfPresent(disk, markPath(path));
  return contents === undefined ? undefined : decodeMark(contents, binding, markPath(path));
}

/** Contents of a file of a state; undefined when it is not there. Throws STATE_UNREADABLE. */
export async function readIfPresent(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  try {
    return await onState(path, 'STATE_UNREADABLE', () => disk.read(path));
  } catch (error) {
    if (isHekateError(error) && error.code === 'STATE_MISSING') return undefined;
    throw error;
  }
}

/** What is behind its mark counts from there on, and nothing that the mark's own record is over is known. */
function againstMark(state: RecoveredState, mark: SlotRecord, path: string): MarkedState {
  const isBehind = compareHrs(state.watermark, mark.watermark) < 0;
  if (state.sequence >= mark.sequence && !isBehind) return { ...state, rolledBack: undefined };
  const found = `number ${state.sequence} at ${describePlace(state.watermark)}`;
  const known = `number ${mark.sequence} at ${describePlace(mark.watermark)}`;
  const rolledBack = `${path} is an old copy: it has ${found}, but it had reached ${known}`;
  const watermark = isBehind ? { ...mark.watermark, signBytes: undefined, fresh: false } : state.watermark;
  // Its own numbers go on: a start that is cut short must not leave others in its slots.
  return { ...state, watermark, life: undefined, rolledBack };
}

/** Overwrites the mark of the state file at `path` in place, durably, once it is locked by the owner of the state. */
export async function writeMark(disk: Disk, path: string, mark: SlotRecord): Promise<void> {
  const contents = await disk.read(markPath(path));
  const [first, second] = [0, RECORD_BYTES].map((at) => decodeRecord(contents.subarray(at, at + RECORD_BYTES)));
  const firstIsNewest =
    first?.kind === 'record' && (second?.kind !== 'record' || first.record.sequence >= second.record.sequence);
  const file = await disk.open(markPath(path));
  try {
    const bytes = encodeRecord(mark);
    for (const offset of firstIsNewest ? [RECORD_BYTES, 0] : [0, RECORD_BYTES]) await file.write(offset, bytes);
  } finally {
    await file.close();
  }
}
