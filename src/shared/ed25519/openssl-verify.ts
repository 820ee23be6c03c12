import { verify, type KeyObject } from 'node:crypto';
import { publicKeyOf } from './raw-keys.js';

/** One key per chain, and a few of peers; parsing one costs 20 µs. */
const MAX_CACHED = 512;
const keys = new Map<string, KeyObject>();

/** A signature that `verifySignature` has found to hold; nothing else makes one. */
export type VerifiedSignature = Uint8Array & { readonly [verified]: true };
declare const verified: unique symbol;

/**
 * Ed25519 verification by OpenSSL: the implementation other than the one that signs (libsodium), and the last word
 * before a signature leaves. False for anything malformed.
 */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): signature is VerifiedSignature {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return verify(null, message, keyObject(publicKey), signature);
}

function keyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString('latin1');
  const known = keys.get(name);
  if (known !== undefined) return known;
  if (keys.size >= MAX_CACHED) for (const oldest of keys.keys()) if (keys.delete(oldest)) break;
  const key = publicKeyOf('ed25519', publicKey);
  keys.set(name, key);
  return key;
}
