import { encodeIdentifier, h1, h4, h5 } from './ciphersuite.js';
import { POINT_BYTES, publicBytes, SCALAR_BYTES, type Group, type Point, type Scalar } from './group.js';
import type { SignerCommitment } from './nonce.js';

/** What every share of one signature is bound to. Commitments ascend by id. */
export interface SigningContext {
  readonly groupPublicKey: Point;
  readonly commitments: readonly SignerCommitment[];
  readonly message: Uint8Array;
}

/** RFC 9591 §4.3 encode_group_commitment_list: identifier, hiding and binding commitment of each signer. */
export function encodeGroupCommitmentList(commitments: readonly SignerCommitment[]): Uint8Array {
  const entry = SCALAR_BYTES + 2 * POINT_BYTES;
  const encoded = publicBytes(commitments.length * entry);
  commitments.forEach(({ id, hiding, binding }, i) => {
    encoded.set(encodeIdentifier(id), i * entry);
    encoded.set(hiding, i * entry + SCALAR_BYTES);
    encoded.set(binding, i * entry + SCALAR_BYTES + POINT_BYTES);
  });
  return encoded;
}

/** RFC 9591 §4.4 compute_binding_factors: one scalar per signer, in the order of the commitments. */
export function computeBindingFactors(group: Group, context: SigningContext): Scalar[] {
  const { groupPublicKey, commitments, message } = context;
  const prefix = [groupPublicKey, h4(message), h5(encodeGroupCommitmentList(commitments))];
  return h1(
    group,
    prefix,
    commitments.map(({ id }) => encodeIdentifier(id)),
  );
}
