import { ed25519 } from '@noble/curves/ed25519.js';
import { equalBytes } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { verificationShare } from '../../../shared/frost/feldman.js';
import { isCanonicalScalar, newScalar, type Group, type Point, type Scalar } from '../../../shared/frost/group.js';
import { invariant, must } from '../../../shared/invariant.js';
import type { VerificationPoints } from '../../keys/dealing.js';

const { Fn } = ed25519.Point;

/**
 * The Feldman commitments C_k = a_k·B to the polynomial f of least degree with f(i)·B = P_i, as many as there are points: C_k is the
 * sum of P_i times the coefficient of x^k in the Lagrange polynomial of i (the inverse of the Vandermonde matrix of the ids).
 * Needs no secret. `points`: valid, at least one. A commitment may be the identity: then the degree is lower.
 */
export function commitmentsOfPoints(group: Group, points: VerificationPoints): readonly Point[] {
  const ids = [...points.keys()];
  const rows = [...points].map(([id, point]) => ({ point, coefficients: lagrangePolynomial(ids, id) }));
  return ids.map((_, k) =>
    group.add(rows.map(({ point, coefficients }) => group.mult(toScalar(must(coefficients[k], 'n of them')), point))),
  );
}

/** Ids of the points that do not lie on the committed polynomial. */
export function pointsOff(group: Group, commitments: readonly Point[], points: VerificationPoints): readonly number[] {
  return [...points].filter(([id, point]) => !isOn(group, commitments, id, point)).map(([id]) => id);
}

/** Without what is left of a commitment to a coefficient 0 at the end: 1 more than the degree of the polynomial. */
export function thresholdOf(group: Group, commitments: readonly Point[]): number {
  return commitments.findLastIndex((commitment) => group.isValidPoint(commitment)) + 1;
}

function isOn(group: Group, commitments: readonly Point[], id: number, point: Point): boolean {
  try {
    return equalBytes(verificationShare(group, commitments, id), point);
  } catch (error) {
    // Where the polynomial is zero, or the commitments are none: nobody's share.
    if (isHekateError(error) && error.code === 'FROST_POINT_INVALID') return false;
    throw error;
  }
}

/**
 * Coefficients, the lowest first, of the polynomial that is 1 at `id` and 0 at all other ids. Public numbers, hence BigInt. None is
 * zero: the others are positive, so that the sums of their products are, too, and below the order as there are 32 of at most 32.
 */
function lagrangePolynomial(ids: readonly number[], id: number): readonly bigint[] {
  let product = [1n];
  let denominator = 1n;
  for (const other of ids) {
    if (other === id) continue;
    product = timesRoot(product, BigInt(other));
    denominator *= BigInt(id - other);
  }
  const inverse = Fn.inv(Fn.create(denominator));
  return product.map((coefficient) => Fn.mul(Fn.create(coefficient), inverse));
}

/** p(x)·(x - root). */
function timesRoot(polynomial: readonly bigint[], root: bigint): bigint[] {
  const shifted = [0n, ...polynomial];
  return shifted.map((coefficient, k) => coefficient - root * (polynomial[k] ?? 0n));
}

function toScalar(value: bigint): Scalar {
  const scalar = newScalar();
  scalar.set(Fn.toBytes(value));
  invariant(isCanonicalScalar(scalar), 'noble reduces what it computes');
  return scalar;
}
