import type { ErrorCode } from '../error-codes.js';
import { HekateError } from '../errors.js';
import { invariant, InvariantViolation } from '../invariant.js';
import type { Disk } from '../ports/disk.js';
import { diskErrorCode } from '../ports/disk-error.js';
import type { SlotFile } from '../ports/slot-file.js';
import { isLaterTimestampOfSameVote } from '../privval/sign-bytes.js';
import { encodeSlot, slotOffset } from './state-file.js';
import { lifeOfCommand, type BeginLife, type Life } from './life.js';
import type { StateBinding } from './slot-record.js';
import { onState } from './state-errors.js';
import { markPath, readState, writeMark, type MarkedState } from './state-mark.js';
import { compareHrs, describePlace, type Watermark } from './watermark.js';

/**
 * The durable watermark of one chain and key (invariants 2 and 4). One process holds it at a time. The caller serialises
 * its requests: two writes are never in flight.
 */
export class WatermarkStore {
  readonly binding: StateBinding;
  readonly #disk: Disk;
  readonly #file: SlotFile;
  readonly #path: string;
  #watermark: Watermark;
  #sequence: bigint;
  readonly #life: Life;
  #halted: ErrorCode | undefined;
  #writing: Promise<void> | undefined;

  private constructor(disk: Disk, file: SlotFile, path: string, binding: StateBinding, state: MarkedState, life: Life) {
    this.binding = binding;
    this.#disk = disk;
    this.#file = file;
    this.#path = path;
    this.#watermark = state.watermark;
    this.#sequence = state.sequence;
    this.#life = life;
  }

  /**
   * Locks, reads and checks the state, and writes it anew before anything can be signed on it (see state-file.ts). Throws
   * STATE_MISSING, STATE_LOCKED, STATE_MODE, STATE_NOT_WRITABLE, STATE_CORRUPT, STATE_TRUNCATED, STATE_FOREIGN,
   * STATE_VERSION, STATE_UNREADABLE, STATE_WRITE_FAILED or RUN_FOLDER_MOVED.
   */
  static async open(
    disk: Disk,
    path: string,
    binding: StateBinding,
    begin: BeginLife = lifeOfCommand,
  ): Promise<WatermarkStore> {
    const file = await onState(path, 'STATE_UNREADABLE', () => disk.open(path));
    try {
      const state = await readState(disk, path, binding);
      const life = begin(state);
      for (const { offset, bytes } of [...state.repairs, ...life.claims]) {
        await onState(path, 'STATE_WRITE_FAILED', () => file.write(offset, bytes));
      }
      const store = new WatermarkStore(disk, file, path, binding, state, life);
      await store.#write(state.watermark);
      await store.#write(state.watermark);
      await store.#writeMark();
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

  /** Since the start: whether more was signed than this state tells is not known yet, and no share may leave. */
  get waiting(): boolean {
    return this.#life.waiting;
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

  /** Ends the wait with `next`, which is the current watermark or may follow it. Throws as `advance`. */
  async endWait(next: Watermark): Promise<void> {
    this.#checkRunning();
    invariant(this.#life.waiting, 'a wait ends once');
    invariant(next === this.#watermark || mayFollow(this.#watermark, next), 'a watermark never goes back');
    this.#life.waiting = false;
    await this.#write(next);
  }

  /** An operator's floor above the current watermark, also to be known where the state is put back. Throws as `advance`. */
  async raiseTo(floor: Watermark): Promise<void> {
    await this.advance(floor);
    await this.#writeMark();
  }

  /** Waits for a write in flight, then gives the lock back. */
  async close(): Promise<void> {
    this.#halted ??= 'STATE_CLOSED';
    await this.#writing?.catch(() => undefined);
    this.#life.close();
    await this.#file.close();
  }

  #checkRunning(): void {
    if (this.#halted === undefined) return;
    throw new HekateError(this.#halted, `state file ${this.#path} takes no more writes`);
  }

  /** An older copy of the state is known by it from now on. */
  async #writeMark(): Promise<void> {
    const mark = { binding: this.binding, sequence: this.#sequence, watermark: this.#watermark, life: this.#life.id };
    await onState(markPath(this.#path), 'STATE_WRITE_FAILED', () => writeMark(this.#disk, this.#path, mark));
  }

  async #write(next: Watermark): Promise<void> {
    invariant(this.#writing === undefined, 'one write of a state file at a time');
    const sequence = this.#sequence + 1n;
    const slot = encodeSlot(this.binding, sequence, next, this.#life.id);
    try {
      this.#writing = this.#file.write(slotOffset(sequence), slot);
      await this.#writing;
      // Before the share: the next start must not take this state for one that nothing was signed on since.
      if (!this.waiting) this.#life.leave(sequence);
    } catch (error) {
      this.#halted = 'STATE_WRITE_FAILED';
      if (error instanceof InvariantViolation) throw error;
      const message = `state file ${this.#path}: number ${sequence} at ${describePlace(next)} may not be durable`;
      const details = { path: this.#path, disk: diskErrorCode(error) ?? '' };
      throw new HekateError('STATE_WRITE_FAILED', message, { cause: error, details });
    } finally {
      this.#writing = undefined;
    }
    this.#sequence = sequence;
    this.#watermark = next;
  }
}

/** Up; or in place to the same vote with a later timestamp (a settled one), or to a floor (another block is signed there). */
function mayFollow(current: Watermark, next: Watermark): boolean {
  if (next.fresh) return false;
  const order = compareHrs(next, current);
  if (next.signBytes === undefined) return order >= 0;
  if (order !== 0 || current.signBytes === undefined) return order > 0;
  return isLaterTimestampOfSameVote(next.signBytes.says, current.signBytes.says);
}
