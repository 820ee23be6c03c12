import { concat } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { isCanonicalScalar, pinnedBytes, POINT_BYTES, SCALAR_BYTES, type Group } from './group.js';

/**
 * RFC 9591 §5.3 aggregate: R ‖ Σ z_i, 64 bytes. Not verified: that is the caller's next step. Throws HekateError
 * FROST_SHARE_INVALID when a share is not a canonical scalar.
 */
export function aggregate(group: Group, groupCommitment: Uint8Array, shares: readonly Uint8Array[]): Uint8Array {
  invariant(groupCommitment.length === POINT_BYTES && shares.length > 0, 'a signature has a commitment and shares');
  const sum = pinnedBytes(SCALAR_BYTES);
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
