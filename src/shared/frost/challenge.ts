import { h2 } from './ciphersuite.js';
import type { Group } from './group.js';

/** RFC 9591 §4.6 compute_challenge: c = H2(R ‖ PK ‖ message), the challenge of an ordinary Ed25519 signature. */
export function computeChallenge(
  group: Group,
  groupCommitment: Uint8Array,
  groupPublicKey: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  return h2(group, groupCommitment, groupPublicKey, message);
}
