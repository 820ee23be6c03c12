import { hash } from 'node:crypto';
import type { SignerCommitment } from '../../src/shared/frost/nonce.js';

/** What shares have to agree on to add up: the very bytes, and the commitments of the very signers. */
export interface ShareContext {
  readonly groupPublicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly commitments: readonly SignerCommitment[];
}

/**
 * Every share that left an honest cosigner, whoever it was for. Shares of different attempts do not add up; once all of one
 * attempt are out, whoever saw them has a signature, whether a node ever gets it or not. Cosigners that lie give theirs to
 * anything, so theirs are never missing.
 */
export class ShareLedger {
  readonly #liars: ReadonlySet<number>;
  readonly #missing = new Map<string, Set<number>>();

  constructor(liars: ReadonlySet<number>) {
    this.#liars = liars;
  }

  /** True when this share was the last that was missing. */
  add(cosigner: number, context: ShareContext): boolean {
    const name = nameOf(context);
    let missing = this.#missing.get(name);
    if (missing === undefined) {
      missing = new Set(context.commitments.map(({ id }) => id).filter((id) => !this.#liars.has(id)));
      this.#missing.set(name, missing);
    }
    return missing.delete(cosigner) && missing.size === 0;
  }
}

function nameOf({ groupPublicKey, message, commitments }: ShareContext): string {
  const points = commitments.flatMap(({ id, hiding, binding }) => [Uint8Array.of(id), hiding, binding]);
  return hash('sha256', Buffer.concat([groupPublicKey, ...points, message]), 'base64');
}
