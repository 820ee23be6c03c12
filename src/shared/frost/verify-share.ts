import { equalBytes } from '../bytes.js';
import { isHekateError } from '../errors.js';
import { invariant, must } from '../invariant.js';
import { computeBindingFactors, type SigningContext } from './binding.js';
import { computeChallenge } from './challenge.js';
import { isCanonicalScalar, isZero, type Group, type Point } from './group.js';
import { interpolatingValue } from './interpolate.js';
import type { SignatureShare } from './signature-share.js';
import { checkSignerList } from './signer-list.js';

export interface SignatureShareToCheck {
  readonly id: number;
  readonly share: SignatureShare;
  /** Y_i = s_i·B, from the dealer's commitments. */
  readonly verificationShare: Point;
}

export interface ShareCheckContext extends SigningContext {
  /** R as `computeGroupCommitment` gives it, not as a signer claims it. */
  readonly groupCommitment: Point;
}

/**
 * RFC 9591 §5.4 verify_signature_share: z_i·B = D_i + ρ_i·E_i + λ_i·c·Y_i. False for anything malformed in the share or
 * in its signer's points. Throws HekateError FROST_SIGNERS_INVALID or FROST_POINT_INVALID for a malformed list.
 */
export function verifyShare(group: Group, context: ShareCheckContext & SignatureShareToCheck): boolean {
  return findCulprits(group, { ...context, shares: [context] }).length === 0;
}

/**
 * Identifiable abort (RFC 9591 §5.4): the signers whose share does not fit their commitment and key. `shares` may be of
 * a part of the list, while others are still missing. Throws as verifyShare does.
 */
export function findCulprits(
  group: Group,
  context: ShareCheckContext & { readonly shares: readonly SignatureShareToCheck[] },
): readonly number[] {
  const { commitments, groupCommitment, groupPublicKey, message, shares } = context;
  checkSignerList(commitments);
  const bindingFactors = computeBindingFactors(group, context);
  const challenge = computeChallenge(group, groupCommitment, groupPublicKey, message);
  const ids = commitments.map(({ id }) => id);

  function fits({ id, share, verificationShare }: SignatureShareToCheck): boolean {
    const index = ids.indexOf(id);
    invariant(index >= 0, 'only shares of signers in the list are checked');
    const { hiding, binding } = must(commitments[index], 'the list has this signer');
    if (!isCanonicalScalar(share) || isZero(share) || !group.isValidPoint(hiding)) return false;
    const commitmentPart = group.mult(must(bindingFactors[index], 'every signer has a binding factor'), binding);
    const keyPart = group.mult(group.scalarMul(interpolatingValue(ids, id), challenge), verificationShare);
    return equalBytes(group.baseMult(share), group.add([hiding, commitmentPart, keyPart]));
  }

  return shares.filter((one) => !isTrue(() => fits(one))).map(({ id }) => id);
}

/** A point of this signer that the group refuses is a share that does not fit. */
function isTrue(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    if (isHekateError(error)) return false;
    throw error;
  }
}
