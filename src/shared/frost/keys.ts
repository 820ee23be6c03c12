import { pinnedBytes, wipe } from '../bytes.js';
import { invariant } from '../invariant.js';
import { sha512 } from './ciphersuite.js';
import type { Group, Point, Scalar } from './group.js';

export interface SecretKey {
  /** The caller wipes it. */
  readonly secret: Scalar;
  readonly publicKey: Point;
}

/**
 * The secret scalar behind a 32-byte Ed25519 seed, and the public key (RFC 8032 §5.1.5). The clamped scalar is reduced
 * mod L, as FROST's arithmetic needs it; B has order L, so the public key stays the same.
 */
export function keyFromSeed(group: Group, seed: Uint8Array): SecretKey {
  invariant(seed.length === 32, 'an Ed25519 seed has 32 bytes');
  const digest = sha512(seed);
  const wide = pinnedBytes(64);
  try {
    wide.set(digest.subarray(0, 32));
    wide[0]! &= 0xf8;
    wide[31] = (wide[31]! & 0x7f) | 0x40;
    const secret = group.reduce64(wide);
    return { secret, publicKey: group.baseMult(secret) };
  } finally {
    wipe(digest, wide);
  }
}
