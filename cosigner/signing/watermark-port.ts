import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { Watermark } from '../../src/shared/watermark/watermark.js';

/** What is needed of a durable watermark; production passes a WatermarkStore. All writes are in the chain's queue. */
export interface WatermarkPort {
  readonly current: Watermark;
  readonly sequence: bigint;
  /** Error code after a failed write: nothing is signed any more. */
  readonly halted: ErrorCode | undefined;
  /** Nothing may be signed yet (chain-wait.ts). */
  readonly waiting: boolean;
  /** Resolves only when `next` is on disk. */
  advance(next: Watermark): Promise<void>;
  /** As `advance`, also of the current one; it waits no longer. */
  endWait(next: Watermark): Promise<void>;
}
