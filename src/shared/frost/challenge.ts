import { h2 } from './ciphersuite.js';
import type { Group, Point, Scalar } from './group.js';

/** RFC 9591 §4.6 compute_challenge: c = H2(R ‖ PK ‖ message), the challenge of an ordinary Ed25519 signature. */
export function computeChallenge(
  group: Group,
  groupCommitment: Point,
  groupPublicKey: Point,
  message: Uint8Array,
): Scalar {
  return h2(group, groupCommitment, groupPublicKey, message);
}
