import { HekateError } from '../errors.js';
import { must } from '../invariant.js';
import { computeBindingFactors, type SigningContext } from './binding.js';
import type { Group, Point, Scalar } from './group.js';
import type { SignerCommitment } from './nonce.js';
import { checkSignerList } from './signer-list.js';

/**
 * RFC 9591 §4.5 compute_group_commitment, all points checked: what a coordinator compares the signers' answers to.
 * Throws HekateError FROST_SIGNERS_INVALID, or FROST_POINT_INVALID naming the signer.
 */
export function computeGroupCommitment(group: Group, context: SigningContext): Point {
  checkSignerList(context.commitments);
  for (const { id, hiding, binding } of context.commitments) {
    if (!group.isValidPoint(hiding) || !group.isValidPoint(binding)) {
      throw new HekateError('FROST_POINT_INVALID', `a commitment of signer ${id} is not in the prime-order group`);
    }
  }
  return sumCommitments(group, context.commitments, computeBindingFactors(group, context), undefined);
}

/**
 * The sum of D_j + ρ_j·E_j. A signer hands in its own term, which it gets cheaper from its nonces. `mult` refuses an
 * E_j outside the prime-order subgroup; the D_j are covered by the check of their sum: whatever of small order they
 * hide must cancel out, and then the sum is the one of clean points. Throws HekateError FROST_POINT_INVALID.
 */
export function sumCommitments(
  group: Group,
  commitments: readonly SignerCommitment[],
  bindingFactors: readonly Scalar[],
  own: { readonly id: number; readonly term: Point } | undefined,
): Point {
  const terms: Point[] = own === undefined ? [] : [own.term];
  commitments.forEach(({ id, hiding, binding }, i) => {
    if (id === own?.id) return;
    terms.push(hiding, group.mult(must(bindingFactors[i], 'every signer has a binding factor'), binding));
  });
  const sum = group.add(terms);
  if (!group.isValidPoint(sum)) {
    throw new HekateError('FROST_POINT_INVALID', 'the commitments add up to a point outside the prime-order group');
  }
  return sum;
}
