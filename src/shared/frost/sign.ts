import { equalBytes, wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { must } from '../invariant.js';
import { computeBindingFactors, type SigningContext } from './binding.js';
import { computeChallenge } from './challenge.js';
import { isZero, newScalarPair, type Group, type Scalar } from './group.js';
import { sumCommitments } from './group-commitment.js';
import { interpolatingValue } from './interpolate.js';
import { commit, type Commitment, type NoncePair } from './nonce.js';
import { toSignatureShare, type SignerShare } from './signature-share.js';
import { checkSignerList } from './signer-list.js';

export interface SignShareInput extends SigningContext {
  readonly id: number;
  readonly secretShare: Scalar;
  readonly nonces: NoncePair;
  /** The commitment made together with `nonces`, if the caller kept it; otherwise it is computed again (25 µs). */
  readonly ownCommitment?: Commitment;
}

/**
 * RFC 9591 §5.2 sign: this signer's share over `message`. The nonces are wiped whatever happens. Throws HekateError
 * FROST_SIGNERS_INVALID (shape of the signer list), FROST_COMMITMENT_FOREIGN (the list has no or another commitment
 * for this signer), FROST_NONCE_SPENT (nonces already used), FROST_POINT_INVALID (a commitment outside the
 * prime-order group). That t signers are named is the caller's to check.
 */
export function signShare(group: Group, input: SignShareInput): SignerShare {
  const { nonces } = input;
  const scratch = newScalarPair();
  try {
    return computeShare(group, input, scratch);
  } finally {
    wipe(nonces.hiding, nonces.binding, ...scratch);
  }
}

/** z_i = d + ρ·e + λ·c·s. Everything derived from a secret, but z_i itself, is in `nonce` and `secret`. */
function computeShare(group: Group, input: SignShareInput, [nonce, secret]: readonly [Scalar, Scalar]): SignerShare {
  const { id, secretShare, groupPublicKey, nonces, commitments, message } = input;
  checkSignerList(commitments);
  const index = commitments.findIndex((commitment) => commitment.id === id);
  checkOwnCommitment(group, input, commitments[index]);

  const bindingFactors = computeBindingFactors(group, input);
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
  return { groupCommitment, share: toSignatureShare(group.scalarAdd(nonce, secret)) };
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
