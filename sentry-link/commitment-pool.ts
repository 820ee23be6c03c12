import type { Group } from '../src/shared/frost/group.js';
import type { NonceCommitment } from '../src/shared/coordination/messages.js';

/** A cosigner may not make us keep more commitments than its pool can hold. */
const MAX_POOLED = 256;

/**
 * One cosigner's unspent nonce commitments for one chain. Points are checked for their subgroup before they are used
 * (RFC 9591 §3.1 DeserializeElement), off the signing path where time allows.
 */
export class CommitmentPool {
  readonly #group: Group;
  readonly #unchecked: NonceCommitment[] = [];
  readonly #checked: NonceCommitment[] = [];
  constructor(group: Group) {
    this.#group = group;
  }

  get size(): number {
    return this.#checked.length + this.#unchecked.length;
  }

  /** False when the batch is more than the pool may hold. A commitment told twice is harmless: its cosigner uses it once. */
  add(commitments: readonly NonceCommitment[]): boolean {
    if (this.size + commitments.length > MAX_POOLED) return false;
    this.#unchecked.push(...commitments);
    return true;
  }

  /** Checks up to `count` commitments ahead of their use; false when one is not a valid point pair. */
  checkAhead(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const next = this.#unchecked.shift();
      if (next === undefined) return true;
      if (!this.#group.isValidPoint(next.hiding) || !this.#group.isValidPoint(next.binding)) return false;
      this.#checked.push(next);
    }
    return true;
  }

  /** Checks until `count` can be taken; false when an invalid one turns up, or there are too few. */
  prepare(count: number): boolean {
    while (this.#checked.length < count) {
      if (this.#unchecked.length === 0 || !this.checkAhead(1)) return false;
    }
    return true;
  }

  /** The oldest commitment, never to be handed out again; undefined when there is none that is valid. */
  take(): NonceCommitment | undefined {
    if (this.#checked.length === 0) this.checkAhead(1);
    return this.#checked.shift();
  }
}
