import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { NEEDLE_BYTES, type Needle } from './memory-scan.js';

/** RFC 8032 §5.1: the order of the base point. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** First and last half of bytes, backwards too: OpenSSL's big numbers are little-endian. */
export function bytesNeedles(name: string, bytes: Uint8Array): Needle[] {
  return [...windows(name, bytes), ...windows(`${name}, backwards`, new Uint8Array(bytes).reverse())];
}

/** What files and logs could hold of bytes: hex and base64. */
export function textNeedles(name: string, bytes: Uint8Array): Needle[] {
  const hex = Buffer.from(bytes).toString('hex');
  return [
    ...windows(`${name} in hex`, Buffer.from(hex)),
    ...windows(`${name} in HEX`, Buffer.from(hex.toUpperCase())),
    // Three alignments: base64 of a larger piece of memory that has it in it looks different.
    ...[0, 1, 2].flatMap((skip) => {
      const whole = bytes.subarray(skip, skip + 3 * Math.floor((bytes.length - skip) / 3));
      return ['base64', 'base64url'].flatMap((encoding) =>
        windows(`${name} in ${encoding}`, Buffer.from(Buffer.from(whole).toString(encoding as BufferEncoding))),
      );
    }),
  ];
}

/** A secret of 32 bytes in every form. */
export function secretNeedles(name: string, bytes: Uint8Array): Needle[] {
  return [...bytesNeedles(name, bytes), ...textNeedles(name, bytes)];
}

/** An Ed25519 seed and all that is made of it on the way to a signature (RFC 8032 §5.1.5). */
export function seedNeedles(name: string, seed: Uint8Array): Needle[] {
  const digest = createHash('sha512').update(seed).digest();
  const clamped = Buffer.from(digest.subarray(0, 32));
  clamped[0]! &= 0xf8;
  clamped[31] = (clamped[31]! & 0x7f) | 0x40;
  return [
    ...secretNeedles(`${name}: seed`, seed),
    ...bytesNeedles(`${name}: digest`, digest.subarray(0, 32)),
    ...bytesNeedles(`${name}: prefix of nonces`, digest.subarray(32)),
    ...secretNeedles(`${name}: clamped scalar`, clamped),
    ...secretNeedles(`${name}: scalar`, reduced(clamped)),
  ];
}

/** The Ed25519 public key of a seed; PKCS #8 and SubjectPublicKeyInfo end with the 32 bytes (RFC 8410). */
export function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** Little-endian bytes mod L. */
export function reduced(bytes: Uint8Array): Uint8Array {
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) % ORDER;
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

/** The first and the last 16 bytes; of longer ones everything between as well. */
export function windows(name: string, bytes: Uint8Array): Needle[] {
  const starts = [...Array(Math.ceil(bytes.length / NEEDLE_BYTES)).keys()].map((i) =>
    Math.min(i * NEEDLE_BYTES, bytes.length - NEEDLE_BYTES),
  );
  return starts.map((start) => ({ name, bytes: bytes.slice(start, start + NEEDLE_BYTES) }));
}
