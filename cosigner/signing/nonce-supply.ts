import type { NonceCommitment } from '../../src/shared/coordination/messages.js';

/** What may be seen of a pool: how much is in it, and commitments. Never a secret. */
export interface NonceSupply {
  /** Makes at most `count` new pairs, up to the target; true when any is still missing. */
  generate(count: number): boolean;
  /** Whether enough commitments wait to be told to the link to be worth a message; the link still has most of its own. */
  readonly worthTelling: boolean;
  /** How many to make at once: several in flight, and few messages. */
  readonly batch: number;
  /** Commitments that the link has not been told of yet; from now on it has. */
  takeReady(): ReadyCommitments;
}

export interface ReadyCommitments {
  readonly commitments: readonly NonceCommitment[];
  /** All that the link was told of before are void. */
  readonly replaces: boolean;
}
