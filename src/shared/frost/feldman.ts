import { equalBytes } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { encodeIdentifier, isIdentifier, MAX_SIGNERS } from './ciphersuite.js';
import { isCanonicalScalar, isZero, type Group, type Point, type Scalar } from './group.js';

/**
 * Y_i = s_i·B of signer `id` from the dealer's commitments: RFC 9591 appendix C.2 derive_group_info. Throws HekateError
 * FROST_POINT_INVALID when a commitment is not in the prime-order group, FROST_SIGNERS_INVALID for an impossible id.
 */
export function verificationShare(group: Group, commitments: readonly Point[], id: number): Point {
  if (!isIdentifier(id)) throw new HekateError('FROST_SIGNERS_INVALID', `signer ${id} cannot exist`);
  invariant(commitments.length >= 1 && commitments.length <= MAX_SIGNERS, 'a polynomial has 1 to 32 commitments');
  commitments.forEach((commitment, i) => {
    if (group.isValidPoint(commitment)) return;
    const message = `commitment ${i + 1} of ${commitments.length} to the dealer's polynomial is not in the prime-order group`;
    throw new HekateError('FROST_POINT_INVALID', message);
  });
  const x = encodeIdentifier(id);
  const value = commitments.reduceRight((higher, commitment) => group.add([commitment, group.mult(x, higher)]));
  if (!group.isValidPoint(value)) {
    throw new HekateError('FROST_POINT_INVALID', `the dealer's commitments give signer ${id} the identity`);
  }
  return value;
}

/**
 * RFC 9591 appendix C.2 vss_verify: whether this secret share lies on the committed polynomial. Throws as
 * verificationShare does; a share that is no scalar between 0 and L is simply wrong.
 */
export function checkShare(
  group: Group,
  commitments: readonly Point[],
  id: number,
  secretShare: Uint8Array,
): secretShare is Scalar {
  const expected = verificationShare(group, commitments, id);
  if (!isCanonicalScalar(secretShare) || isZero(secretShare)) return false;
  return equalBytes(group.baseMult(secretShare), expected);
}
