import { createPublicKey, type KeyObject } from 'node:crypto';

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/** A key for node:crypto from its 32 bytes (RFC 8410). */
export function ed25519PublicKey(publicKey: Uint8Array): KeyObject {
  const key = Buffer.concat([SPKI_ED25519, publicKey]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}
