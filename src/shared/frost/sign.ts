import { equalBytes, wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant, must } from '../invariant.js';
import { computeBindingFactors, type SigningContext } from './binding.js';
import { computeChallenge } from './challenge.js';
import { isZero, pinnedBytes, POINT_BYTES, SCALAR_BYTES, type Group } from './group.js';
import { sumCommitments } from './group-commitment.js';
import { interpolatingValue } from './interpolate.js';
import { commit, type Commitment, type NoncePair } from './nonce.js';
import { checkSignerList } from './signer-list.js';

export interface SignShareInput extends SigningContext {
  readonly id: number;
  readonly secretShare: Uint8Array;
  readonly nonces: NoncePair;
  /** The commitment made together with `nonces`, if the caller kept it; otherwise it is computed again (25 µs). */
  readonly ownCommitment?: Commitment;
}

export interface SignatureShareResult {
  /** R, so that a coordinator need not compute it. */
  readonly groupCommitment: Uint8Array;
  /** z_i, a canonical scalar. */
  readonly share: Uint8Array;
}

/**
 * RFC 9591 §5.2 sign: this signer's share over `message`. The nonces are wiped whatever happens. Throws HekateError
 * FROST_SIGNERS_INVALID (shape of the signer list), FROST_COMMITMENT_FOREIGN (the list has no or another commitment
 * for this signer), FROST_NONCE_SPENT (nonces already used), FROST_POINT_INVALID (a commitment outside the
 * prime-order group). That t signers are named is the caller's to check.
 */
export function signShare(group: Group, input: SignShareInput): SignatureShareResult {
  const { nonces } = input;
  const scratch = pinnedBytes(2 * SCALAR_BYTES);
  try {
    return computeShare(group, input, scratch);
  } finally {
    wipe(nonces.hiding, nonces.binding, scratch);
  }
}

/** z_i = d + ρ·e + λ·c·s. Everything derived from a secret, but z_i itself, is in `scratch`. */
function computeShare(group: Group, input: SignShareInput, scratch: Uint8Array): SignatureShareResult {
  const { id, secretShare, groupPublicKey, nonces, commitments, message } = input;
  invariant(
    groupPublicKey.length === POINT_BYTES && secretShare.length === SCALAR_BYTES,
    'key and share have 32 bytes',
  );
  checkSignerList(commitments);
  const index = commitments.findIndex((commitment) => commitment.id === id);
  checkOwnCommitment(group, input, commitments[index]);

  const bindingFactors = computeBindingFactors(group, input);
  const nonce = scratch.subarray(0, SCALAR_BYTES);
  const secret = scratch.subarray(SCALAR_BYTES);
  const own = must(bindingFactors[index], 'this signer is in the list');
  group.scalarMul(own, nonces.binding, secret);
  group.scalarAdd(nonces.hiding, secret, nonce);
  // D + ρ·E without a variable-base multiplication: both are multiples of B that only this signer knows.
  const term = group.baseMult(nonce);
  const groupCommitment = sumCommitments(group, commitments, bindingFactors, { id, term });

  const challenge = computeChallenge(group, groupCommitment, groupPublicKey, message);
  const ids = commitments.map((commitment) => commitment.id);
  const weight = group.scalarMul(interpolatingValue(ids, id), challenge);
  group.scalarMul(weight, secretShare, secret);
  return { groupCommitment, share: group.scalarAdd(nonce, secret) };
}

function checkOwnCommitment(group: Group, input: SignShareInput, listed: Commitment | undefined): void {
  const { id, nonces } = input;
  if (isZero(nonces.hiding) || isZero(nonces.binding)) {
    throw new HekateError('FROST_NONCE_SPENT', `the nonces of signer ${id} were used before`);
  }
  if (listed === undefined) {
    throw new HekateError('FROST_COMMITMENT_FOREIGN', `the signer list does not name signer ${id}`);
  }
  const own = input.ownCommitment ?? commit(group, nonces);
  if (!equalBytes(listed.hiding, own.hiding) || !equalBytes(listed.binding, own.binding)) {
    throw new HekateError('FROST_COMMITMENT_FOREIGN', `the signer list has commitments that signer ${id} did not make`);
  }
}
