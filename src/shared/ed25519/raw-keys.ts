import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { concat, fromHex, pinnedBytes, wipe } from '../bytes.js';
import { invariant } from '../invariant.js';

/** The DER around raw 32-byte keys, RFC 8410 §4 and §7: PKCS #8 for private, SubjectPublicKeyInfo for public keys. */
const DER = {
  ed25519: { pkcs8: fromHex('302e020100300506032b657004220420'), spki: fromHex('302a300506032b6570032100') },
  x25519: { pkcs8: fromHex('302e020100300506032b656e04220420'), spki: fromHex('302a300506032b656e032100') },
} as const;

export type RawKeyType = keyof typeof DER;

/**
 * A private key of 32 bytes (an Ed25519 seed, an X25519 scalar) as node:crypto wants it; the copy in DER is wiped. OpenSSL
 * keeps its own until the key is collected as garbage, and frees another without wiping it: nothing for a validator's key.
 */
export function privateKeyOf(type: RawKeyType, raw: Uint8Array): KeyObject {
  invariant(raw.length === 32, 'a raw private key has 32 bytes');
  const { pkcs8 } = DER[type];
  const der = pinnedBytes(pkcs8.length + raw.length);
  der.set(pkcs8);
  der.set(raw, pkcs8.length);
  try {
    return createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' });
  } finally {
    wipe(der);
  }
}

export function publicKeyOf(type: RawKeyType, raw: Uint8Array): KeyObject {
  invariant(raw.length === 32, 'a raw public key has 32 bytes');
  return createPublicKey({ key: Buffer.from(concat(DER[type].spki, raw)), format: 'der', type: 'spki' });
}

/** The 32 bytes of the public key that belongs to a private key. */
export function rawPublicKey(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32));
}
