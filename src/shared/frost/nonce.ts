import { wipe } from '../bytes.js';
import { invariant } from '../invariant.js';
import { lockedBytes } from '../ports/locked-memory.js';
import type { RandomBytes } from '../ports/random.js';
import { h3 } from './ciphersuite.js';
import { newScalarPair, type Group, type Point, type Scalar } from './group.js';

/** What one nonce is made of, RFC 9591 §4.1. */
const RANDOM_BYTES = 32;

declare const brand: unique symbol;

/** A secret scalar for one signature share: a second one with it gives the secret share away. `generateNonces` alone makes it. */
export type Nonce = Scalar & { readonly [brand]: 'nonce' };

/** Used for one signature share and wiped by it. */
export interface NoncePair {
  readonly hiding: Nonce;
  readonly binding: Nonce;
}

/** The two points that a nonce pair is committed to by. */
export interface Commitment {
  readonly hiding: Point;
  readonly binding: Point;
}

export interface SignerCommitment extends Commitment {
  readonly id: number;
}

/**
 * RFC 9591 §5.1 commit: a fresh nonce pair and its commitment, of 64 random bytes drawn at once. It waits for its use in locked
 * memory: who finds a nonce later has the share.
 */
export function generateNonces(
  group: Group,
  secretShare: Scalar,
  random: RandomBytes,
): { readonly nonces: NoncePair; readonly commitment: Commitment } {
  const [hiding, binding] = newScalarPair(lockedBytes);
  const drawn = random(2 * RANDOM_BYTES);
  invariant(drawn.length === 2 * RANDOM_BYTES, 'the random source gives what was asked for');
  try {
    // §4.1 nonce_generate: the secret share is hashed in, so that a weak random source alone gives nothing away.
    const nonces = {
      hiding: h3(group, hiding, drawn.subarray(0, RANDOM_BYTES), secretShare) as Nonce,
      binding: h3(group, binding, drawn.subarray(RANDOM_BYTES), secretShare) as Nonce,
    };
    return { nonces, commitment: commit(group, nonces) };
  } finally {
    wipe(drawn);
  }
}

/** The commitment to a nonce pair: d·B and e·B. */
export function commit(group: Group, nonces: NoncePair): Commitment {
  return { hiding: group.baseMult(nonces.hiding), binding: group.baseMult(nonces.binding) };
}
