import { invariant } from '../../src/shared/invariant.js';
import { wipe } from '../../src/shared/bytes.js';
import type { NonceCommitment } from '../../src/shared/coordination/messages.js';
import type { Commitment, NoncePair } from '../../src/shared/frost/nonce.js';
import type { NonceSupply, ReadyCommitments } from './nonce-supply.js';

export interface IssuedNonces {
  readonly nonces: NoncePair;
  readonly commitment: Commitment;
}

/**
 * The secret nonces behind the commitments given to one link for one chain. They live in memory only, die with the
 * stream, and each pair can be taken once: it is deleted in the same step, before anyone uses it (RFC 9591 §5.2: a
 * nonce used twice gives the share away).
 */
export class NoncePool implements NonceSupply {
  readonly #generate: () => IssuedNonces;
  readonly #target: number;
  readonly #onDiscarded: () => void;
  readonly #issued = new Map<number, IssuedNonces>();
  #ready: NonceCommitment[] = [];
  #lastId = 0;
  #replaces = false;
  #closed = false;

  constructor(generate: () => IssuedNonces, target: number, onDiscarded: () => void = () => undefined) {
    this.#generate = generate;
    this.#target = target;
    this.#onDiscarded = onDiscarded;
  }

  generate(count: number): boolean {
    for (let made = 0; made < count && this.#issued.size < this.#target && !this.#closed; made++) {
      const issued = this.#generate();
      const nonceId = ++this.#lastId;
      this.#issued.set(nonceId, issued);
      this.#ready.push({ nonceId, hiding: issued.commitment.hiding, binding: issued.commitment.binding });
    }
    return !this.#closed && this.#issued.size < this.#target;
  }

  get worthTelling(): boolean {
    return this.#ready.length >= this.batch;
  }

  get batch(): number {
    return Math.max(1, this.#target >> 2);
  }

  takeReady(): ReadyCommitments {
    const ready = { commitments: this.#ready, replaces: this.#replaces };
    this.#ready = [];
    this.#replaces = false;
    return ready;
  }

  /** Every pair that was issued is void from now on. */
  discard(): void {
    this.#wipe();
    this.#replaces = true;
    this.#onDiscarded();
  }

  /** The pair behind an id, for this one use; undefined if it never was or was taken before. */
  take(nonceId: number): IssuedNonces | undefined {
    const issued = this.#issued.get(nonceId);
    if (issued === undefined) return undefined;
    invariant(this.#issued.delete(nonceId), 'a nonce pair is deleted before it is used');
    return issued;
  }

  close(): void {
    this.#closed = true;
    this.#wipe();
  }

  #wipe(): void {
    for (const { nonces } of this.#issued.values()) wipe(nonces.hiding, nonces.binding);
    this.#issued.clear();
    this.#ready = [];
  }
}
