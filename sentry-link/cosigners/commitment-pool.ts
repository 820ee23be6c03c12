import type { NonceCommitment } from '../../src/shared/coordination/messages.js';
import { toPoint } from '../../src/shared/frost/group.js';

/** A cosigner may not make us keep more commitments than its pool can hold. */
const MAX_POOLED = 256;

/**
 * One cosigner's unspent nonce commitments for one chain. They are handed out as they came: every signer checks the others'
 * points before it uses them (RFC 9591 §3.1 DeserializeElement), so a check here would only do the same work again. What a
 * signer refuses is looked into then, and names whose it was (attempt.ts).
 */
export class CommitmentPool {
  #unspent: NonceCommitment[] = [];

  get size(): number {
    return this.#unspent.length;
  }

  /** False when the batch is more than the pool may hold. A commitment told twice is harmless: its cosigner uses it once. */
  add(commitments: readonly NonceCommitment[]): boolean {
    if (this.size + commitments.length > MAX_POOLED) return false;
    // Bytes of their own: those that came are a part of a message of up to a megabyte, which would be kept as well.
    for (const { nonceId, hiding, binding } of commitments)
      this.#unspent.push({ nonceId, hiding: toPoint(hiding.slice()), binding: toPoint(binding.slice()) });
    return true;
  }

  /** Their cosigner knows nothing of them any more. */
  forget(): void {
    this.#unspent = [];
  }

  /** The oldest commitment, never to be handed out again; undefined when there is none. */
  take(): NonceCommitment | undefined {
    return this.#unspent.shift();
  }
}
