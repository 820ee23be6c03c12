import { createHash } from 'node:crypto';
import { isHekateError } from '../../errors.js';
import { invariant, must } from '../../invariant.js';
import type { RandomBytes } from '../../ports/random.js';
import type { SigningContext } from '../binding.js';
import { deal, type Dealing } from '../dealer.js';
import { isCanonicalScalar, newScalar, type Group, type Scalar } from '../group.js';
import { generateNonces, type Commitment, type NoncePair } from '../nonce.js';
import { signShare } from '../sign.js';
import type { SignerShare } from '../signature-share.js';

export const BACKENDS = ['native', 'wasm'] as const;

/** [threshold, count] of the clusters that are tried. */
export const CLUSTERS = [
  [2, 3],
  [3, 5],
  [5, 9],
  [7, 13],
  [17, 32],
] as const;

/** Reproducible bytes: SHA-512(seed, counter) in a row. */
export function seededRandom(seed: string): RandomBytes {
  let counter = 0;
  return (length) => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 64) {
      const block = createHash('sha512').update(`${seed}/${counter++}`).digest();
      out.set(block.subarray(0, Math.min(64, length - at)), at);
    }
    return out;
  };
}

/** Bytes of a small number as a scalar. */
export function scalarOf(n: number): Scalar {
  const scalar = newScalar();
  new DataView(scalar.buffer).setUint32(0, n, true);
  return scalar;
}

/** Bytes that the test knows to be a scalar. */
export function scalarFrom(bytes: Uint8Array): Scalar {
  invariant(isCanonicalScalar(bytes), 'the bytes are a scalar below L');
  return bytes;
}

export function dealing(group: Group, threshold: number, count: number, random: RandomBytes): Dealing {
  const secret = group.reduce64(random(64));
  return deal(group, { secret, threshold, count, random });
}

export interface Signer {
  readonly id: number;
  readonly secretShare: Scalar;
  readonly nonces: NoncePair;
  readonly commitment: Commitment;
}

export interface Round {
  readonly signers: readonly Signer[];
  readonly context: SigningContext;
}

/** A message and one fresh commitment of each signer. */
export function newRound(group: Group, dealt: Dealing, ids: readonly number[], random: RandomBytes): Round {
  const signers = ids.map((id) => {
    const { secretShare } = must(dealt.shares[id - 1], `share ${id}`);
    return { id, secretShare, ...generateNonces(group, secretShare, random) };
  });
  const commitments = signers.map(({ id, commitment }) => ({ id, ...commitment }));
  return { signers, context: { groupPublicKey: dealt.groupPublicKey, commitments, message: random(110) } };
}

export function signAll(group: Group, { signers, context }: Round): SignerShare[] {
  return signers.map(({ id, secretShare, nonces }) => signShare(group, { ...context, id, secretShare, nonces }));
}

/** Every second signer, then the remaining ones, until there are `threshold`; ascending. */
export function someIds(threshold: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i + 1);
  const ids = [...all.filter((id) => id % 2 === 1), ...all.filter((id) => id % 2 === 0)].slice(0, threshold);
  return ids.sort((a, b) => a - b);
}

/** The code that `action` is refused with; undefined when it is not. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (isHekateError(error)) return error.code;
    throw error;
  }
}
