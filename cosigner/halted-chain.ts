import type { ChainReport } from '../src/shared/coordination/messages.js';
import { HekateError, isHekateError } from '../src/shared/errors.js';
import { POINT_BYTES } from '../src/shared/frost/group.js';
import type { Log } from '../src/shared/ports/log.js';

/**
 * A chain that could not be started: it signs nothing until the next start, the others sign on. Nothing of its share and
 * state is read or written after what is wrong was found.
 */
export interface HaltedChain {
  readonly chainId: string;
  /** Undefined: its group file could not be read. */
  readonly groupPublicKey: Uint8Array | undefined;
  readonly maxHeightJump: bigint;
  /** Why. */
  readonly error: HekateError;
}

/** The chain, halted by what was thrown while it was started. A fault that is not its own, but hekate's, is thrown on. */
export function haltedBy(error: unknown, chain: Omit<HaltedChain, 'error'>): HaltedChain {
  if (!isHekateError(error)) throw error;
  const { chainId, groupPublicKey, maxHeightJump } = chain;
  return { chainId, groupPublicKey, maxHeightJump, error };
}

/** What links are told of it; `tellsWatermark` is false of it, for its state was not read. */
export function reportHalted({ chainId, groupPublicKey, maxHeightJump, error }: HaltedChain): ChainReport {
  const key = groupPublicKey ?? new Uint8Array(POINT_BYTES);
  const nowhere = { height: 0n, round: 0, step: 0, sequence: 0n };
  return { chainId, groupPublicKey: key, ...nowhere, maxHeightJump, halted: error.code };
}

export function tellHalted(log: Log, { chainId, error }: HaltedChain): void {
  const { code, message, fix } = error;
  log.error('chain is halted: this cosigner signs nothing for it', { code, chain: chainId, reason: message, fix });
}
