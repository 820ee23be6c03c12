import { HekateError } from '../errors.js';
import { isIdentifier, MAX_SIGNERS } from './ciphersuite.js';
import { hasPointForm } from './group.js';
import type { SignerCommitment } from './nonce.js';

/**
 * What RFC 9591 §4.3 and §5.2 demand of a commitment list before anything is computed from it: 1 … 32 signers,
 * identifiers in range, ascending and so without duplicates, points of the right form. Throws HekateError
 * FROST_SIGNERS_INVALID or FROST_POINT_INVALID.
 */
export function checkSignerList(commitments: readonly SignerCommitment[]): void {
  if (commitments.length === 0 || commitments.length > MAX_SIGNERS) {
    throw new HekateError(
      'FROST_SIGNERS_INVALID',
      `${commitments.length} signers are named, 1 to ${MAX_SIGNERS} can sign`,
    );
  }
  let before = 0;
  for (const { id, hiding, binding } of commitments) {
    if (!isIdentifier(id)) throw new HekateError('FROST_SIGNERS_INVALID', `signer ${id} cannot exist`);
    if (id <= before) throw new HekateError('FROST_SIGNERS_INVALID', `signer ${id} is named after signer ${before}`);
    before = id;
    if (!hasPointForm(hiding) || !hasPointForm(binding)) {
      throw new HekateError('FROST_POINT_INVALID', `a commitment of signer ${id} is not the encoding of a point`);
    }
  }
}
