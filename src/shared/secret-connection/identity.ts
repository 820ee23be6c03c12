import { createHash, sign, verify } from 'node:crypto';
import { toHex } from '../bytes.js';
import { privateKeyOf, publicKeyOf, rawPublicKey } from '../ed25519/raw-keys.js';

/** Who we are on a secret connection: an Ed25519 key, of which the secret half never leaves this object. */
export interface Identity {
  readonly publicKey: Uint8Array;
  /** Lower-case hex of the first 20 bytes of SHA-256(public key), CometBFT p2p/key.go. */
  readonly peerId: string;
  /** Ed25519 signature (64 bytes) over `message`. */
  sign(message: Uint8Array): Uint8Array;
}

/** Identity of a 32-byte seed. The seed is not kept and not wiped: it is the caller's. */
export function identityFromSeed(seed: Uint8Array): Identity {
  const key = privateKeyOf('ed25519', seed);
  const publicKey = rawPublicKey(key);
  return { publicKey, peerId: peerIdOf(publicKey), sign: (message) => new Uint8Array(sign(null, message, key)) };
}

export function peerIdOf(publicKey: Uint8Array): string {
  return toHex(createHash('sha256').update(publicKey).digest().subarray(0, 20));
}

/** Whether `signature` over `message` is by this raw Ed25519 key; false too for bytes that are no key. */
export function verifyIdentity(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, message, publicKeyOf('ed25519', publicKey), signature);
  } catch {
    return false;
  }
}
