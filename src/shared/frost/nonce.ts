import { wipe } from '../bytes.js';
import { invariant } from '../invariant.js';
import type { RandomBytes } from '../ports/random.js';
import { h3 } from './ciphersuite.js';
import { pinnedBytes, SCALAR_BYTES, type Group } from './group.js';

/** Two secret scalars, used for one signature share and wiped by it. */
export interface NoncePair {
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

/** The two points that a nonce pair is committed to by. */
export interface Commitment {
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

export interface SignerCommitment extends Commitment {
  readonly id: number;
}

/** RFC 9591 §5.1 commit: a fresh nonce pair and its commitment. */
export function generateNonces(
  group: Group,
  secretShare: Uint8Array,
  random: RandomBytes,
): { readonly nonces: NoncePair; readonly commitment: Commitment } {
  const secrets = pinnedBytes(2 * SCALAR_BYTES);
  const nonces = {
    hiding: nonceGenerate(group, secretShare, random, secrets.subarray(0, SCALAR_BYTES)),
    binding: nonceGenerate(group, secretShare, random, secrets.subarray(SCALAR_BYTES)),
  };
  return { nonces, commitment: commit(group, nonces) };
}

/** The commitment to a nonce pair: d·B and e·B. */
export function commit(group: Group, nonces: NoncePair): Commitment {
  return { hiding: group.baseMult(nonces.hiding), binding: group.baseMult(nonces.binding) };
}

/** RFC 9591 §4.1 nonce_generate: the secret share is hashed in, so that a weak random source alone gives nothing away. */
function nonceGenerate(group: Group, secretShare: Uint8Array, random: RandomBytes, out: Uint8Array): Uint8Array {
  const randomBytes = random(32);
  invariant(randomBytes.length === 32, 'the random source gives what was asked for');
  try {
    return h3(group, out, randomBytes, secretShare);
  } finally {
    wipe(randomBytes);
  }
}
