import { concat } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { isCanonicalScalar, newScalar, type Group, type Point } from './group.js';
import type { SignatureShare } from './signature-share.js';

/**
 * RFC 9591 §5.3 aggregate: R ‖ Σ z_i, 64 bytes. Not verified: that is the caller's next step. Throws HekateError
 * FROST_SHARE_INVALID when a share is not a canonical scalar.
 */
export function aggregate(group: Group, groupCommitment: Point, shares: readonly SignatureShare[]): Uint8Array {
  invariant(shares.length > 0, 'a signature has shares');
  const sum = newScalar();
  shares.forEach((share, i) => {
    if (!isCanonicalScalar(share)) {
      throw new HekateError(
        'FROST_SHARE_INVALID',
        `signature share ${i + 1} of ${shares.length} is not a scalar below L`,
      );
    }
    group.scalarAdd(sum, share, sum);
  });
  return concat(groupCommitment, sum);
}
