import { toHex } from '../bytes.js';
import type { ErrorCode } from '../error-codes.js';
import { HekateError, isHekateError } from '../errors.js';
import { invariant, InvariantViolation } from '../invariant.js';
import { diskErrorCode, type Disk, type SlotFile } from '../ports/disk.js';
import { parseSignBytes } from '../privval/sign-bytes.js';
import { isLaterTimestampOfSameVote } from './rules.js';
import { encodeSlot, newSlotFile, recoverSlotFile, slotOffset, type RecoveredState } from './slot-file.js';
import type { SlotRecord, StateBinding } from './slot-record.js';
import { onState } from './state-errors.js';
import { checkAgainstMark, decodeMark, encodeMark, markPath, writeMark } from './state-mark.js';
import { compareHrs, describeWatermark, formatHrs, type Watermark, type WatermarkDescription } from './watermark.js';

/** A state file as found, for `hekate state show`. */
export interface StateReport {
  readonly chainId: string;
  /** Hex. */
  readonly groupPublicKey: string;
  readonly sequence: bigint;
  readonly watermark: WatermarkDescription;
  /** Copies that a crash or damage left behind; the next start writes them anew. */
  readonly staleCopies: number;
}

/**
 * The durable watermark of one chain and key (invariants 2 and 4). One process holds it at a time. The caller serialises
 * its requests: two writes are never in flight.
 */
export class WatermarkStore {
  readonly binding: StateBinding;
  readonly #file: SlotFile;
  readonly #path: string;
  #watermark: Watermark;
  #sequence: bigint;
  #halted: ErrorCode | undefined;
  #writing: Promise<void> | undefined;

  private constructor(file: SlotFile, path: string, binding: StateBinding, state: RecoveredState) {
    this.binding = binding;
    this.#file = file;
    this.#path = path;
    this.#watermark = state.watermark;
    this.#sequence = state.sequence;
  }

  /**
   * Creates state file and mark, durably; never replaces a state file. Where a mark is left of a lost state the numbers go
   * on from it. `afterSequence` is a number that this state is known to have had. A crash leaves all or a mark alone, and
   * then it can be run again. Throws STATE_EXISTS, STATE_WRITE_FAILED, and STATE_ROLLED_BACK when `initial` is below the watermark that the mark knows.
   */
  static async create(
    disk: Disk,
    path: string,
    binding: StateBinding,
    initial: Watermark,
    afterSequence = 0n,
  ): Promise<void> {
    if ((await readIfPresent(disk, path)) !== undefined) {
      throw new HekateError('STATE_EXISTS', `state file ${path} exists already`);
    }
    const mark = await readMark(disk, path, binding);
    if (mark !== undefined && compareHrs(initial, mark.watermark) < 0) {
      const [wanted, known] = [formatHrs(initial), formatHrs(mark.watermark)];
      const fix = `start at ${known} or above; if the mark itself is wrong, move ${markPath(path)} away too`;
      throw new HekateError('STATE_ROLLED_BACK', `${wanted} is below ${known}, which ${path} had reached`, { fix });
    }
    const last = mark !== undefined && mark.sequence > afterSequence ? mark.sequence : afterSequence;
    const state = { sequence: last + 2n, watermark: initial };
    // The mark first: a crash in between leaves a mark without a state, from which a second `create` goes on.
    if (mark === undefined) {
      await onState(markPath(path), 'STATE_WRITE_FAILED', () =>
        disk.create(markPath(path), encodeMark(binding, state)),
      );
    }
    const contents = newSlotFile(binding, state.sequence, initial);
    await onState(path, 'STATE_WRITE_FAILED', () => disk.create(path, contents));
  }

  /**
   * Locks, reads and checks the state, and writes it anew before anything can be signed on it (see slot-file.ts). Throws
   * STATE_MISSING, STATE_LOCKED, STATE_MODE, STATE_NOT_WRITABLE, STATE_CORRUPT, STATE_TRUNCATED, STATE_FOREIGN,
   * STATE_VERSION, STATE_ROLLED_BACK, STATE_UNREADABLE or STATE_WRITE_FAILED.
   */
  static async open(disk: Disk, path: string, binding: StateBinding): Promise<WatermarkStore> {
    const file = await onState(path, 'STATE_UNREADABLE', () => disk.open(path));
    try {
      const state = await readState(disk, path, binding);
      for (const { offset, bytes } of state.repairs) {
        await onState(path, 'STATE_WRITE_FAILED', () => file.write(offset, bytes));
      }
      const store = new WatermarkStore(file, path, binding, state);
      await store.#write(state.watermark);
      await store.#write(state.watermark);
      const mark = { binding, sequence: store.sequence, watermark: state.watermark };
      await onState(markPath(path), 'STATE_WRITE_FAILED', () => writeMark(disk, path, mark));
      return store;
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  /** What was last durable. */
  get current(): Watermark {
    return this.#watermark;
  }

  /** Rises by one with every write, over restarts too. */
  get sequence(): bigint {
    return this.#sequence;
  }

  /** Why nothing can be signed on this state any more: STATE_WRITE_FAILED or STATE_CLOSED. */
  get halted(): ErrorCode | undefined {
    return this.#halted;
  }

  /**
   * Starts the write at once and resolves when `next` is durable; only then is it `current`. After one failed write what
   * the disk holds is unknown (the kernel may have dropped the page and reported it once), so the store stays halted:
   * STATE_WRITE_FAILED now and ever after, STATE_CLOSED after `close`.
   */
  async advance(next: Watermark): Promise<void> {
    this.#checkRunning();
    invariant(mayFollow(this.#watermark, next), 'a watermark never goes back');
    await this.#write(next);
  }

  /**
   * An operator's floor (`floorAtHeight`) above the current watermark: the way out after HEIGHT_JUMP. Only ever up, so it
   * cannot allow a second signature. Throws STATE_IMPORT_INVALID when it is not above, else as `advance`.
   */
  async raiseTo(floor: Watermark): Promise<void> {
    if (compareHrs(floor, this.#watermark) <= 0) {
      const [wanted, current] = [formatHrs(floor), formatHrs(this.#watermark)];
      throw new HekateError('STATE_IMPORT_INVALID', `${wanted} is not above the current watermark ${current}`);
    }
    this.#checkRunning();
    await this.#write(floor);
  }

  /** Waits for a write in flight, then gives the lock back. */
  async close(): Promise<void> {
    this.#halted ??= 'STATE_CLOSED';
    await this.#writing?.catch(() => undefined);
    await this.#file.close();
  }

  #checkRunning(): void {
    if (this.#halted === undefined) return;
    throw new HekateError(this.#halted, `state file ${this.#path} takes no more writes`);
  }

  async #write(next: Watermark): Promise<void> {
    invariant(this.#writing === undefined, 'one write of a state file at a time');
    const sequence = this.#sequence + 1n;
    const slot = encodeSlot(this.binding, sequence, next);
    try {
      this.#writing = this.#file.write(slotOffset(sequence), slot);
      await this.#writing;
    } catch (error) {
      this.#halted = 'STATE_WRITE_FAILED';
      if (error instanceof InvariantViolation) throw error;
      const message = `state file ${this.#path}: number ${sequence} at ${formatHrs(next)} may not be durable`;
      throw new HekateError('STATE_WRITE_FAILED', message, {
        cause: error,
        details: { disk: diskErrorCode(error) ?? '' },
      });
    } finally {
      this.#writing = undefined;
    }
    this.#sequence = sequence;
    this.#watermark = next;
  }
}

/** What a state file says, without its lock: for showing, never for signing. Throws as `open` does. */
export async function inspectState(disk: Disk, path: string, binding: StateBinding): Promise<StateReport> {
  const { sequence, watermark, repairs } = await readState(disk, path, binding);
  return {
    chainId: binding.chainId,
    groupPublicKey: toHex(binding.groupPublicKey),
    sequence,
    watermark: describeWatermark(watermark),
    staleCopies: repairs.length,
  };
}

/** State and mark, checked against each other. */
async function readState(disk: Disk, path: string, binding: StateBinding): Promise<RecoveredState> {
  const contents = await onState(path, 'STATE_UNREADABLE', () => disk.read(path));
  const state = recoverSlotFile(contents, binding, path);
  const mark = await readMark(disk, path, binding);
  if (mark === undefined) {
    const problem = `without ${markPath(path)} the newest state cannot be told from an old copy`;
    throw new HekateError('STATE_MISSING', `state file ${path} has lost its mark: ${problem}`);
  }
  checkAgainstMark(state, mark, path);
  return state;
}

async function readMark(disk: Disk, path: string, binding: StateBinding): Promise<SlotRecord | undefined> {
  const contents = await readIfPresent(disk, markPath(path));
  return contents === undefined ? undefined : decodeMark(contents, binding, markPath(path));
}

async function readIfPresent(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  try {
    return await onState(path, 'STATE_UNREADABLE', () => disk.read(path));
  } catch (error) {
    if (isHekateError(error) && error.code === 'STATE_MISSING') return undefined;
    throw error;
  }
}

/** Up; or in place to the same vote with a later timestamp (a settled one). */
function mayFollow(current: Watermark, next: Watermark): boolean {
  if (next.fresh || next.signBytes.length === 0) return false;
  const order = compareHrs(next, current);
  if (order !== 0 || current.signBytes.length === 0) return order > 0;
  return isLaterTimestampOfSameVote(parseSignBytes(next.signBytes), parseSignBytes(current.signBytes));
}
