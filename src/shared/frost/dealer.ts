import { wipe } from '../bytes.js';
import { invariant, must } from '../invariant.js';
import type { RandomBytes } from '../ports/random.js';
import { encodeIdentifier, MAX_SIGNERS } from './ciphersuite.js';
import { isZero, newScalar, NOT_ZERO, type Group, type Point, type Scalar } from './group.js';

export interface DealOptions {
  /** The group's secret, not zero; it stays the caller's to wipe. */
  readonly secret: Scalar;
  readonly threshold: number;
  readonly count: number;
  readonly random: RandomBytes;
}

export interface SecretShare {
  readonly id: number;
  readonly secretShare: Scalar;
}

export interface Dealing {
  /** Identifiers 1 … count. The caller wipes them once they are written. */
  readonly shares: readonly SecretShare[];
  /** Feldman commitments to the polynomial, `threshold` points; the first is the group public key. */
  readonly commitments: readonly Point[];
  readonly groupPublicKey: Point;
}

/**
 * RFC 9591 appendix C, trusted_dealer_keygen with a given secret: any `threshold` of the shares make signatures under
 * the secret's public key. The polynomial is wiped.
 */
export function deal(group: Group, options: DealOptions): Dealing {
  const { secret, threshold, count, random } = options;
  const whole = [threshold, count].every(Number.isInteger);
  invariant(
    whole && threshold >= 1 && threshold <= count && count <= MAX_SIGNERS,
    'a dealing has 1 to n of at most 32',
  );
  invariant(!isZero(secret), NOT_ZERO);
  const constant = newScalar();
  constant.set(secret);
  const coefficients = [constant];
  const shares: SecretShare[] = [];
  try {
    while (coefficients.length < threshold) coefficients.push(randomScalar(group, random));
    for (let id = 1; id <= count; id++) shares.push({ id, secretShare: evaluate(group, coefficients, id) });
    const commitments = coefficients.map((coefficient) => group.baseMult(coefficient));
    return { shares, commitments, groupPublicKey: must(commitments[0], 'a polynomial has a constant term') };
  } catch (error) {
    wipe(...shares.map(({ secretShare }) => secretShare));
    throw error;
  } finally {
    wipe(...coefficients);
  }
}

/** A uniform scalar from 64 random bytes; RFC 9591 appendix D. */
export function randomScalar(group: Group, random: RandomBytes): Scalar {
  const wide = random(64);
  invariant(wide.length === 64, 'the random source gives what was asked for');
  try {
    return group.reduce64(wide);
  } finally {
    wipe(wide);
  }
}

/** RFC 9591 appendix C.1.1 polynomial_evaluate: Horner's rule from the highest coefficient down. */
function evaluate(group: Group, coefficients: readonly Scalar[], id: number): Scalar {
  const x = encodeIdentifier(id);
  const value = newScalar();
  for (let i = coefficients.length - 1; i >= 0; i--) {
    group.scalarMul(value, x, value);
    group.scalarAdd(value, must(coefficients[i], 'counted down from the length'), value);
  }
  invariant(!isZero(value), 'a share is zero with probability 2^-252');
  return value;
}
